"""The posts. Every person, number and address in them is invented."""

# Ordinary posts: praise, an eponym, a date that is no patient's. They must pass untouched.
CLEAN = "New guidance on Parkinson's disease is out, and our team is proud of its part in it 🏥 see you at the 2026 meeting"
CLEAN_PRAISE = "Huge thanks to the night shift on 4 West for another calm night ☕"

# A patient's name, in a post about care: the shipped policy redacts it.
FIRST, LAST = "Margaret", "Thompson"
NAMED = f"🏥 My patient Mrs. {FIRST} {LAST} was admitted to our ward with pneumonia and is recovering well on oxygen"
NAMED_KEPT = ("🏥 My patient ", " was admitted to our ward with pneumonia and is recovering well on oxygen")
NAME_MARKER = "[name]"

# The same where there is room for few words (a poll's option has 25 characters on X).
CLEAN_SHORT, NAMED_SHORT, NUMBERED_SHORT = "tea", f"Mrs. {FIRST} {LAST}", "SSN 219-09-4417"

# Numbers that identify by themselves: the shipped policy blocks them.
SSN, MRN = "219-09-4417", "48213377"
NUMBERED = f"Still on 4 West: patient MRN {MRN}, SSN {SSN}, waiting for a bed"

# An address people sign in with, and a name people search for: no post, and nobody's login may break.
SIGN_IN = "rosalind.kettering@clinic.example"
PASSWORD = "correct horse 078-05-1120"
SEARCH = f"{FIRST} {LAST} 219-09-4417"

# What must never stand in the audit, a log line, a metric or an error.
CANARIES = [LAST, SSN, MRN, SSN.replace("-", ""), "kettering", "correct horse", "078-05-1120", "recovering well", "waiting for a bed"]


def is_redacted(text):
    """Whether a text arrived as it should: the name gone, the marker in its place, every other word as it was."""
    return is_nameless(text) and all(words in text for words in NAMED_KEPT)


def is_nameless(text):
    """Whether the name is gone and the marker in its place."""
    return FIRST not in text and LAST not in text and NAME_MARKER in text
