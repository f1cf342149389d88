//! Takes the metadata out of the files in a spool, one after the other, before their body is judged.
//!
//! Every file keeps its length, since its part may say how long it is. A picture is held whole for that, a film passes
//! through piece by piece: memory stays within what a body may take anyway.

use bytes::Bytes;
use memchr::memmem;

use super::{CHUNK, Chunk, Spooled, unkept};
use crate::body::{Elider, Unreadable};
use crate::media::{self, Anatomy, Fault, InPlace, Keep};

impl Spooled {
    /// Strips every file. `most_held` is the longest one that is held whole; `pieces` says whether a piece of a file may
    /// go on whose metadata stands in another. On a fault, nothing may be sent.
    pub(crate) fn strip(&mut self, most_held: usize, pieces: bool) -> Result<(), Unreadable> {
        let mut kept = self.kept.to_vec();
        let marks: Vec<usize> = memmem::find_iter(&kept, &self.mark).collect();
        if marks.len() != self.runs.len() {
            return Err(Unreadable::Multipart);
        }
        let mut runs = self.runs.clone();
        let mut is_stripped = false;
        for (run, at) in runs.iter_mut().zip(marks) {
            // What is kept of a file stands before its mark.
            let lead = at.checked_sub(Elider::LEAD_OF_FILE).ok_or(Unreadable::Multipart)?..at;
            let start = kept.get_mut(lead).ok_or(Unreadable::Multipart)?;
            if let Some(stripped) = self.strip_file(start, run, most_held, pieces)? {
                *run = stripped;
                is_stripped = true;
            }
        }
        // All of them or none.
        if is_stripped {
            self.kept = Bytes::from(kept);
            self.runs = runs;
            self.is_stripped = true;
        }
        Ok(())
    }

    fn strip_file(
        &self,
        start: &mut [u8],
        run: &[Chunk],
        most_held: usize,
        pieces: bool,
    ) -> Result<Option<Vec<Chunk>>, Unreadable> {
        if media::is_only_document(start) {
            return Ok(None);
        }
        let length = start.len() + run.iter().map(|chunk| chunk.length).sum::<usize>();
        if length <= most_held {
            return self.strip_whole(start, run, length, pieces);
        }
        let film = InPlace::for_start(start).ok_or(Unreadable::Media)?;
        self.strip_film(film, start, run)
    }

    fn strip_whole(
        &self,
        start: &mut [u8],
        run: &[Chunk],
        length: usize,
        pieces: bool,
    ) -> Result<Option<Vec<Chunk>>, Unreadable> {
        let mut file = Vec::with_capacity(length);
        file.extend_from_slice(start);
        for chunk in run {
            file.extend_from_slice(&self.read(*chunk)?);
        }
        let anatomy = Anatomy::of(&file);
        let stripped = match anatomy.fault() {
            None => anatomy.stripped(&file, Keep::Length),
            Some(Fault::Truncated) if pieces => anatomy.piece_stripped(&file),
            Some(fault) => Err(fault),
        };
        let Some(stripped) = stripped.map_err(|_| Unreadable::Media)? else { return Ok(None) };
        let (first, rest) = stripped.split_at_checked(start.len()).ok_or(Unreadable::Media)?;
        start.copy_from_slice(first);
        rest.chunks(CHUNK)
            .map(|piece| self.append(piece.to_vec()))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn strip_film(
        &self,
        mut film: InPlace,
        start: &mut [u8],
        run: &[Chunk],
    ) -> Result<Option<Vec<Chunk>>, Unreadable> {
        let (mut out, mut chunks, mut n_first) = (Vec::new(), Vec::new(), 0);
        let wanted = start.len();
        let mut first = Vec::with_capacity(wanted);
        let mut settle = |out: &mut Vec<u8>, last: bool| {
            let n = (wanted - n_first).min(out.len());
            first.extend(out.drain(..n));
            n_first += n;
            if out.len() >= CHUNK || (last && !out.is_empty()) {
                chunks.push(self.append(std::mem::take(out))?);
            }
            Ok::<_, Unreadable>(())
        };
        film.push(start, &mut out).map_err(|_| Unreadable::Media)?;
        for chunk in run {
            film.push(&self.read(*chunk)?, &mut out).map_err(|_| Unreadable::Media)?;
            settle(&mut out, false)?;
        }
        film.finish(&mut out).map_err(|_| Unreadable::Media)?;
        settle(&mut out, true)?;
        if !film.changed {
            return Ok(None);
        }
        if first.len() != wanted {
            return Err(Unreadable::Media);
        }
        start.copy_from_slice(&first);
        Ok(Some(chunks))
    }

    fn read(&self, chunk: Chunk) -> Result<Bytes, Unreadable> {
        self.store.read(chunk.number, chunk.offset, chunk.length).map_err(|error| unkept(&error))
    }

    fn append(&self, piece: Vec<u8>) -> Result<Chunk, Unreadable> {
        let length = piece.len();
        let (number, offset) = self.store.append(piece).map_err(|error| unkept(&error))?;
        Ok(Chunk { number, offset, length })
    }
}
