//! Rows of a segment as they are stored: texts as they stand, not as records.

use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::record::chain::Content;
use crate::record::restore::id_text;

/// Most rows of one dictionary table that are kept while reading.
const MOST_KEPT: usize = 16_384;

/// Dictionary rows as they are stored.
pub struct Stored<'d> {
    db: &'d Connection,
    texts: HashMap<(&'static str, i64), Option<Rc<str>>>,
    processes: HashMap<i64, Rc<StoredProcess>>,
}

/// Numbers of a process, and the rows of its texts.
type ProcessRow = ([Option<i64>; 4], [Option<i64>; 5]);

struct StoredProcess {
    numbers: [Option<i64>; 4],
    texts: [Option<Rc<str>>; 5],
}

impl<'d> Stored<'d> {
    /// For the segment `db`.
    #[must_use]
    pub fn new(db: &'d Connection) -> Self {
        Self {
            db,
            texts: HashMap::new(),
            processes: HashMap::new(),
        }
    }

    /// The content of a row, in the order of [`crate::record::chain::take_in`]. The row begins with the columns of
    /// [`crate::record::schema::EVENT_COLUMNS`].
    ///
    /// # Errors
    /// As SQLite says.
    pub fn take_in(&mut self, content: &mut Content, row: &Row<'_>) -> rusqlite::Result<()> {
        let process = self.process(row.get(3)?)?;
        let [pid, ppid, started, uid] = process.numbers;
        let [exe, script, argv, cwd, lineage] = &process.texts;
        content.clear();
        content.text(Some(&id_text(row.get(0)?)));
        content.number(row.get(1)?);
        content.text(self.text("session", row.get(2)?)?.as_deref());
        content.number(pid);
        content.number(ppid);
        content.number(started);
        content.text(exe.as_deref());
        content.text(script.as_deref());
        content.text(argv.as_deref());
        content.text(cwd.as_deref());
        content.number(uid);
        content.text(lineage.as_deref());
        content.text(self.text("shape", row.get(4)?)?.as_deref());
        content.text(self.path(row.get(5)?)?.as_deref());
        content.text(self.path(row.get(6)?)?.as_deref());
        content.text(self.text("endpoint", row.get(7)?)?.as_deref());
        for column in 8..12 {
            content.number(row.get(column)?);
        }
        Ok(())
    }

    /// `None` for no row, and for one that is not there: that is a change.
    fn text(&mut self, table: &'static str, id: Option<i64>) -> rusqlite::Result<Option<Rc<str>>> {
        let Some(id) = id else { return Ok(None) };
        if let Some(known) = self.texts.get(&(table, id)) {
            return Ok(known.clone());
        }
        let text: Option<String> = self.value(&format!("SELECT value FROM {table} WHERE id=?1"), id)?;
        let text = text.map(Rc::from);
        if self.texts.len() >= MOST_KEPT {
            self.texts.clear();
        }
        self.texts.insert((table, id), text.clone());
        Ok(text)
    }

    fn path(&mut self, id: Option<i64>) -> rusqlite::Result<Option<String>> {
        let Some(id) = id else { return Ok(None) };
        let mut statement = self.db.prepare_cached("SELECT dir, name FROM path WHERE id=?1")?;
        let found: Option<(i64, String)> = statement
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((dir, name)) = found else { return Ok(None) };
        Ok(self.text("text", Some(dir))?.map(|dir| format!("{dir}{name}")))
    }

    fn process(&mut self, id: i64) -> rusqlite::Result<Rc<StoredProcess>> {
        if let Some(known) = self.processes.get(&id) {
            return Ok(Rc::clone(known));
        }
        let sql = "SELECT pid, ppid, started, uid, exe, script, argv, cwd, lineage FROM process WHERE id=?1";
        let found: Option<ProcessRow> = self
            .db
            .prepare_cached(sql)?
            .query_row([id], |row| {
                let numbers = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
                Ok((
                    numbers,
                    [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?],
                ))
            })
            .optional()?;
        let (numbers, ids) = found.unwrap_or_default();
        let [exe, script, argv, cwd, lineage] = ids;
        let texts = [
            self.text("text", exe)?,
            self.text("text", script)?,
            self.text("text", argv)?,
            self.text("text", cwd)?,
            self.text("text", lineage)?,
        ];
        let process = Rc::new(StoredProcess { numbers, texts });
        if self.processes.len() >= MOST_KEPT {
            self.processes.clear();
        }
        self.processes.insert(id, Rc::clone(&process));
        Ok(process)
    }

    fn value<T: FromSql>(&self, sql: &str, id: i64) -> rusqlite::Result<Option<T>> {
        self.db
            .prepare_cached(sql)?
            .query_row([id], |row| row.get(0))
            .optional()
    }
}
