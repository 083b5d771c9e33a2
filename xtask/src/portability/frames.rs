//! How much stack the programs take at most, by the object alone: kernels refuse a program whose functions in one chain of
//! calls take more than 512 bytes together (`check_max_stack_depth` in the kernel's `verifier.c`), which is otherwise seen
//! in a machine of the oldest kernel only.

use std::collections::{BTreeMap, BTreeSet};

use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex, SymbolKind};

/// What one chain of calls may take, in bytes (`MAX_BPF_STACK`).
pub const MOST: u32 = 512;

const CALL: u8 = 0x85;
const LOAD_WIDE: u8 = 0x18;
const ADD: u8 = 0x07;
const MOVE: u8 = 0xbf;
/// The register that points to a function's frame.
const FRAME: u8 = 10;
/// Every function takes a multiple of this.
const STEP: u32 = 32;

/// The chain of a program that takes most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// All of it, in bytes.
    pub bytes: u32,
    /// Its functions with what each takes, the program first.
    pub functions: Vec<(String, u32)>,
}

/// A function by its section, and its place there in bytes.
type Place = (usize, u64);

struct Function {
    name: String,
    code: Vec<u8>,
    calls: BTreeSet<Place>,
}

/// The deepest chain of each program in an ELF object, the deepest first.
///
/// # Errors
/// What is wrong with the object.
pub fn chains(elf: &[u8]) -> Result<Vec<Chain>, String> {
    let functions = functions(elf).map_err(|error| format!("cannot read the object: {error}"))?;
    let mut known = BTreeMap::new();
    let programs = functions
        .iter()
        .filter(|(_, function)| !function.name.starts_with("_R"));
    let mut chains: Vec<Chain> = programs
        .map(|(place, _)| deepest(*place, &functions, &mut known))
        .collect();
    chains.sort_by(|one, other| (other.bytes, &one.functions).cmp(&(one.bytes, &other.functions)));
    Ok(chains)
}

fn functions(elf: &[u8]) -> object::Result<BTreeMap<Place, Function>> {
    let file = object::File::parse(elf)?;
    let mut functions = BTreeMap::new();
    for symbol in file
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
    {
        let Some(index) = symbol.section_index() else {
            continue;
        };
        let code = file
            .section_by_index(index)?
            .data_range(symbol.address(), symbol.size())?;
        let function = Function {
            name: symbol.name()?.to_owned(),
            code: code.unwrap_or_default().to_vec(),
            calls: BTreeSet::new(),
        };
        functions.insert((index.0, symbol.address()), function);
    }
    let places: Vec<Place> = functions.keys().copied().collect();
    for place in places {
        let calls = calls(&file, place, &functions[&place].code)?;
        if let Some(function) = functions.get_mut(&place) {
            function.calls = calls;
        }
    }
    Ok(functions)
}

/// The functions that one calls, or hands to a helper to be called.
fn calls(file: &object::File<'_>, (section, start): Place, code: &[u8]) -> object::Result<BTreeSet<Place>> {
    let end = start + code.len() as u64;
    let mut relocated = BTreeMap::new();
    for (at, relocation) in file.section_by_index(SectionIndex(section))?.relocations() {
        if let RelocationTarget::Symbol(symbol) = relocation.target()
            && (start..end).contains(&at)
        {
            relocated.insert(at - start, file.symbol_by_index(symbol)?);
        }
    }
    let mut calls = BTreeSet::new();
    for (at, instruction) in instructions(code) {
        let (source, value) = (instruction[1] >> 4, i64::from(immediate(instruction)));
        match (instruction[0], relocated.get(&at)) {
            (CALL, Some(symbol)) if source == 1 => calls.extend(symbol.section_index().map(|index| {
                let within = if symbol.kind() == SymbolKind::Section {
                    (value + 1) * 8
                } else {
                    0
                };
                (index.0, symbol.address().wrapping_add_signed(within))
            })),
            (CALL, None) if source == 1 => {
                calls.insert((section, (start + at).wrapping_add_signed((value + 1) * 8)));
            }
            (LOAD_WIDE, Some(symbol)) => calls.extend(symbol.section_index().map(|index| {
                let within = if symbol.kind() == SymbolKind::Section {
                    value
                } else {
                    0
                };
                (index.0, symbol.address().wrapping_add_signed(within))
            })),
            _ => {}
        }
    }
    Ok(calls)
}

/// How far below the frame's register a function reaches, in bytes: by its own loads and stores, and by addresses that it
/// makes of it.
fn reach(code: &[u8]) -> u32 {
    let mut deepest = 0;
    let mut copies = BTreeSet::new();
    for (_, instruction) in instructions(code) {
        let (class, to, from) = (instruction[0] & 7, instruction[1] & 15, instruction[1] >> 4);
        let offset = i16::from_le_bytes([instruction[2], instruction[3]]);
        let below = match (instruction[0], class) {
            (_, 1) if from == FRAME => i32::from(offset),
            (_, 2 | 3) if to == FRAME => i32::from(offset),
            (ADD, _) if copies.contains(&to) => immediate(instruction),
            _ => 0,
        };
        deepest = deepest.max((-below).max(0).unsigned_abs());
        if matches!(class, 0 | 1 | 4 | 7) {
            copies.remove(&to);
        }
        if instruction[0] == MOVE && from == FRAME {
            copies.insert(to);
        }
    }
    deepest
}

/// Each instruction with its place in bytes; the second half of a wide one is none.
fn instructions(code: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut is_second = false;
    (0..)
        .step_by(8)
        .zip(code.chunks_exact(8))
        .filter(move |(_, instruction)| {
            let skip = is_second;
            is_second = !skip && instruction[0] == LOAD_WIDE;
            !skip
        })
}

fn immediate(instruction: &[u8]) -> i32 {
    instruction[4..8].try_into().map_or(0, i32::from_le_bytes)
}

/// The chain below one function that takes most. The object has no recursion: the kernel would refuse it.
fn deepest(place: Place, functions: &BTreeMap<Place, Function>, known: &mut BTreeMap<Place, Chain>) -> Chain {
    if let Some(chain) = known.get(&place) {
        return chain.clone();
    }
    let Some(function) = functions.get(&place) else {
        return Chain::default();
    };
    let below = function.calls.iter().map(|call| deepest(*call, functions, known));
    let mut chain = below.max_by_key(|chain| chain.bytes).unwrap_or_default();
    let own = reach(&function.code);
    chain.bytes += own.max(1).next_multiple_of(STEP);
    chain.functions.insert(0, (function.name.clone(), own));
    known.insert(place, chain.clone());
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_as_deep_as_what_is_reached_in_it() {
        let stored = [0x7b, 0x1a, 0xf8, 0xff, 0, 0, 0, 0];
        let copied = [MOVE, 0xa2, 0, 0, 0, 0, 0, 0];
        let lowered = [ADD, 0x02, 0, 0, 0x78, 0xff, 0xff, 0xff];
        let other = [ADD, 0x03, 0, 0, 0x00, 0xff, 0xff, 0xff];
        assert_eq!(reach(&[stored, other].concat()), 8);
        assert_eq!(reach(&[stored, copied, lowered].concat()), 136);
        assert_eq!(
            reach(&[copied, lowered, lowered].concat()),
            136,
            "a copy is lowered once"
        );
    }

    #[test]
    fn a_chain_takes_the_multiples_of_its_functions() {
        let function = |name: &str, code: &[u8], calls: &[Place]| Function {
            name: name.to_owned(),
            code: code.to_vec(),
            calls: calls.iter().copied().collect(),
        };
        let functions = BTreeMap::from([
            (
                (1, 0),
                function(
                    "program",
                    &[0x7b, 0x1a, 0xd8, 0xff, 0, 0, 0, 0],
                    &[(2, 0), (2, 8)],
                ),
            ),
            ((2, 0), function("_Rshallow", &[], &[])),
            (
                (2, 8),
                function("_Rdeep", &[0x7b, 0x1a, 0x40, 0xff, 0, 0, 0, 0], &[(2, 0)]),
            ),
        ]);
        let chain = deepest((1, 0), &functions, &mut BTreeMap::new());
        assert_eq!(chain.bytes, 64 + 192 + 32);
        assert_eq!(chain.functions[0], ("program".to_owned(), 40));
        assert_eq!(chain.functions[1], ("_Rdeep".to_owned(), 192));
    }
}
