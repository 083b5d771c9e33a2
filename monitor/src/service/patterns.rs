//! Patterns of small acts, told of as cuts of their own.

use crate::{
    record::event::{EventRecord, VerdictRecord},
    scope::words::{Response, When},
    service::state::State,
};

impl State {
    /// Looks whether a recorded act completes a pattern: a flagged cut of its own, whose record waits in `answers` with
    /// what it leads to.
    pub fn look_for_patterns(&mut self, key: u64, record: &EventRecord) {
        for finding in self.cases.patterns_of(record) {
            let told = EventRecord {
                id: self.next_id(record.time),
                verdict: VerdictRecord {
                    called_for: Response::Flag,
                    applied: Response::Flag,
                    when: When::After,
                    rule: Some(finding.rule.to_owned()),
                    reason: Some(finding.reason),
                    grant: None,
                    ..record.verdict.clone()
                },
                weight: finding.weight,
                count: 1,
                ..record.clone()
            };
            if let Some(session) = self.sessions.get_mut(key) {
                session.own_cuts += 1;
            }
            self.enter(key, &told);
            for read in &finding.reads {
                self.note_read(&told, read);
            }
            self.answers.push(told);
        }
    }
}
