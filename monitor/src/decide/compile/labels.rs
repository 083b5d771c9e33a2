//! Small numbers for lists that rules refer to: programs, sanctioned paths, endpoints.

/// Lists that are the same get the same number.
#[derive(Debug)]
pub(super) struct Interned<T> {
    lists: Vec<T>,
    most: usize,
}

impl<T: PartialEq + Clone> Interned<T> {
    /// For at most `most` different lists.
    pub(super) const fn new(most: usize) -> Self {
        Self {
            lists: Vec::new(),
            most,
        }
    }

    /// The number of a list, plus one; `None` where there is no room.
    pub(super) fn number(&mut self, list: &T) -> Option<u8> {
        let at = match self.lists.iter().position(|known| known == list) {
            Some(at) => at,
            None if self.lists.len() < self.most => {
                self.lists.push(list.clone());
                self.lists.len() - 1
            }
            None => return None,
        };
        u8::try_from(at + 1).ok()
    }

    /// Every list with its bit.
    pub(super) fn bits(&self) -> impl Iterator<Item = (u64, &T)> {
        self.lists
            .iter()
            .enumerate()
            .map(|(at, list)| (1 << (at & 63), list))
    }

    /// Every list with its number, from 1.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (u32, &T)> {
        (1..).zip(&self.lists)
    }
}
