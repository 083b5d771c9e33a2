//! "Did you mean …?": the one place that compares what was written with what exists.

/// The word of `known` that `given` most likely meant; `None` where nothing is near.
#[must_use]
pub fn nearest<'w>(given: &str, known: &[&'w str]) -> Option<&'w str> {
    let given = given.to_ascii_lowercase().replace('_', "-");
    let scored = known
        .iter()
        .map(|word| (strsim::jaro_winkler(&given, word), *word));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.8).then_some(best.1)
}

/// A remedy for an unknown word: the nearest one, or the whole list.
#[must_use]
pub fn did_you_mean(given: &str, known: &[&str]) -> String {
    match nearest(given, known) {
        Some(word) => format!("did you mean `{word}`?"),
        None => {
            let list: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
            format!("write one of {}", list.join(", "))
        }
    }
}
