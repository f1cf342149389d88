"""What every check of this folder says, and the count it ends with."""

import shutil


class Said:
    """Counts of what holds, what does not, and what could not be looked at here."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, what, faults):
        """`faults` is what is wrong, or whether it is right."""
        if isinstance(faults, bool):
            faults = [] if faults else [""]
        faults = list(faults)
        if faults:
            self.failed += 1
            print(f"failed: {what}")
            for fault in filter(None, faults):
                print(f"    {fault}")
        else:
            self.passed += 1
            print(f"ok: {what}", flush=True)
        return not faults

    def skip(self, what, why):
        self.skipped += 1
        print(f"skipped: {what}: {why}", flush=True)

    def has(self, program, what):
        """Whether a program is here; if not, what it would have shown is skipped by name."""
        found = shutil.which(program)
        if not found:
            self.skip(what, f"there is no {program}")
        return found
