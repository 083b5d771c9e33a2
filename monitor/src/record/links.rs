//! Where the chain stands in a segment, and its signed heads.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use crate::record::chain::{Content, Link};
use crate::record::removed;
use crate::record::schema::UNCHAINED;
use crate::record::segment::{list, open_for_reading};
use crate::record::signer::{About, Signer, Statement, hex};

/// Where the chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The number of the segment's first record.
    pub first: u64,
    /// The place of the latest record in its segment, from 1; 0 for none.
    pub place: u64,
    /// Its link, or the one before the segment's first record.
    pub link: Link,
}

impl Chain {
    /// Where the chain stands before segment `number` of `dir`: where the latest readable segment before it ends, or the
    /// latest removed one; at the beginning where there is none.
    #[must_use]
    pub fn before(dir: &Path, number: u64) -> Self {
        let earlier = list(dir).unwrap_or_default();
        let earlier = earlier.iter().rev().filter(|one| one.number < number);
        let end = earlier.into_iter().find_map(|one| {
            let db = open_for_reading(&one.path).ok()?;
            Self::read(&db).ok()?
        });
        let removed = || {
            let mut removed: Vec<_> = removed::read(dir).ok()?.into_iter().flatten().collect();
            removed.sort_by_key(|one| one.segment);
            let last = removed.pop()?.statement()?;
            Some(Self {
                first: last.number + 1,
                place: 0,
                link: last.link,
            })
        };
        let end = end.or_else(removed).unwrap_or(Self {
            first: 1,
            place: 0,
            link: [0; 32],
        });
        Self {
            first: end.first + end.place,
            place: 0,
            link: end.link,
        }
    }

    /// Where the chain stands at the end of a segment; `None` where it has none.
    ///
    /// # Errors
    /// As SQLite says.
    pub fn read(db: &Connection) -> rusqlite::Result<Option<Self>> {
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version <= UNCHAINED {
            return Ok(None);
        }
        let origin: Option<(i64, Vec<u8>)> = db
            .query_row("SELECT first, link FROM origin", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let latest: Option<(i64, Vec<u8>)> = db
            .query_row("SELECT place, link FROM latest", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let chain = origin.and_then(|(first, link)| {
            let (place, link) = latest.unwrap_or((0, link));
            Some(Self {
                first: first.cast_unsigned().max(1),
                place: place.cast_unsigned(),
                link: link.try_into().ok()?,
            })
        });
        Ok(chain)
    }

    /// Where it stands after a row with this content.
    #[must_use]
    pub fn after(&self, content: &Content) -> Self {
        Self {
            first: self.first,
            place: self.place + 1,
            link: content.link(&self.link),
        }
    }

    /// What is signed about it.
    #[must_use]
    pub const fn statement(&self, about: About, segment: u64) -> Statement {
        Statement {
            about,
            segment,
            first: self.first,
            number: self.first - 1 + self.place,
            link: self.link,
        }
    }

    /// The signed beginning of a segment, as SQL.
    #[must_use]
    pub fn origin(&self, segment: u64, signer: &Signer) -> String {
        let signature = signer.sign(&self.statement(About::Origin, segment));
        let (first, link, signature) = (self.first, hex(&self.link), hex(&signature));
        format!("INSERT INTO origin VALUES ({first}, x'{link}', x'{signature}');")
    }

    /// Writes a head that stays.
    ///
    /// # Errors
    /// As SQLite says.
    pub fn write_head(&self, db: &Connection, segment: u64, signer: &Signer) -> rusqlite::Result<()> {
        let signature = signer.sign(&self.statement(About::Head, segment));
        db.prepare_cached("INSERT OR REPLACE INTO head VALUES (?1,?2,?3)")?
            .execute(params![self.place.cast_signed(), self.link, signature])?;
        Ok(())
    }

    /// Writes the last head in place of the one before.
    ///
    /// # Errors
    /// As SQLite says.
    pub fn write_latest(&self, db: &Connection, segment: u64, signer: &Signer) -> rusqlite::Result<()> {
        let signature = signer.sign(&self.statement(About::Last, segment));
        db.prepare_cached("DELETE FROM latest")?.execute([])?;
        db.prepare_cached("INSERT INTO latest VALUES (?1,?2,?3)")?
            .execute(params![self.place.cast_signed(), self.link, signature])?;
        Ok(())
    }
}
