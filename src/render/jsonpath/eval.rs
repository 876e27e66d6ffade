//! From nodes and a value to results.
//!
//! A list of braces narrows the current values node by node. Ranges work on the level of the
//! template: `{range …}` runs what follows once per result until the matching `{end}`; without
//! one, kubectl runs the rest once more on the outer value, and so do we.

use super::{Error, Filter, Item, Node, Slice, compare};

/// Ranges inside ranges: more than this is an accident, and each level costs stack.
const DEEPEST: usize = 64;

type Found<'v> = Result<Vec<Item<'v>>, Fault<'v>>;

/// Why a node could not be evaluated, and what kubectl has in hand then: a filter that only asks
/// whether something exists looks at that and not at the error.
struct Fault<'v> {
    message: String,
    held: Vec<Item<'v>>,
}

fn fault<'v>(message: impl Into<String>, held: &[Item<'v>]) -> Fault<'v> {
    Fault {
        message: message.into(),
        held: held.to_vec(),
    }
}

pub(super) fn find<'v>(
    nodes: &'v [Node],
    value: impl Into<Item<'v>>,
) -> Result<Vec<Vec<Item<'v>>>, Error> {
    Evaluation::default().block(nodes, 0, value.into())
}

/// Where the evaluation stands among ranges.
#[derive(Default)]
struct Evaluation {
    begun: usize,
    inside: usize,
    ended: usize,
    /// The template node that ended a range last.
    last_end: Option<usize>,
}

impl Evaluation {
    /// Evaluates template nodes from `from` on until the block that they are in ends.
    fn block<'v>(
        &mut self,
        nodes: &'v [Node],
        from: usize,
        value: Item<'v>,
    ) -> Result<Vec<Vec<Item<'v>>>, Error> {
        if self.inside > DEEPEST {
            return Err(Error::new("ranges nested too deeply"));
        }
        let mut all = Vec::new();
        let mut i = from;
        while i < nodes.len() {
            let found = self
                .node(&[value], &nodes[i])
                .map_err(|fault| Error::new(fault.message))?;
            if self.ended > 0 && self.ended <= self.inside {
                self.ended -= 1;
                self.last_end = Some(i);
                break;
            }
            if self.begun > 0 {
                self.begun -= 1;
                self.inside += 1;
                if found.is_empty() {
                    // Nothing to print, but the end of the range must be found.
                    self.block(nodes, i + 1, Item::Nothing)?;
                }
                for item in found {
                    let item = if item == Item::Null {
                        Item::Nothing
                    } else {
                        item
                    };
                    all.append(&mut self.block(nodes, i + 1, item)?);
                }
                self.inside -= 1;
                i = self.last_end.filter(|end| *end > i).unwrap_or(i);
            } else {
                all.push(found);
            }
            i += 1;
        }
        Ok(all)
    }

    fn list<'v>(&mut self, input: &[Item<'v>], nodes: &'v [Node]) -> Found<'v> {
        let mut current = input.to_vec();
        for node in nodes {
            current = self.node(&current, node)?;
        }
        Ok(current)
    }

    fn node<'v>(&mut self, input: &[Item<'v>], node: &'v Node) -> Found<'v> {
        let each = |item: Item<'v>| Ok(vec![item; input.len()]);
        match node {
            Node::List(nodes) => self.list(input, nodes),
            Node::Text(text) => Ok(vec![Item::Text(text)]),
            Node::Int(int) => each(Item::Int(*int)),
            Node::Float(float) => each(Item::Float(*float)),
            Node::Bool(yes) => each(Item::Bool(*yes)),
            Node::Field(name) => Ok(field(input, name)),
            Node::Slice(slice) => elements(input, slice),
            Node::Filter(filter) => self.filter(input, filter),
            Node::Wildcard => Ok(input.iter().flat_map(|item| item.children()).collect()),
            Node::Recursive => Ok(recursive(input)),
            Node::Union(parts) => self.union(input, parts),
            Node::Word(word) => self.word(input, word),
        }
    }

    fn word<'v>(&mut self, input: &[Item<'v>], word: &str) -> Found<'v> {
        match word {
            "range" => {
                self.begun += 1;
                Ok(input.to_vec())
            }
            "end" if self.inside > 0 => {
                self.ended += 1;
                Ok(Vec::new())
            }
            "end" => Err(fault("not in range, nothing to end", &[])),
            _ => Err(fault(format!("unrecognized identifier {word}"), input)),
        }
    }

    fn union<'v>(&mut self, input: &[Item<'v>], parts: &'v [Vec<Node>]) -> Found<'v> {
        let mut all = Vec::new();
        for part in parts {
            let found = self.list(input, part);
            all.append(&mut found.map_err(|inner| fault(inner.message, input))?);
        }
        Ok(all)
    }

    fn filter<'v>(&mut self, input: &[Item<'v>], filter: &'v Filter) -> Found<'v> {
        let mut passed = Vec::new();
        for value in input {
            let Item::Seq(items) = value else {
                let text = value.sprint();
                return Err(fault(
                    format!("{text} is not array or slice and cannot be filtered"),
                    input,
                ));
            };
            for item in items.iter().map(Item::from) {
                let left = self.list(&[item], &filter.left);
                let Some((operator, right)) = &filter.right else {
                    let found = left.unwrap_or_else(|fault| fault.held);
                    if !found.is_empty() {
                        passed.push(item);
                    }
                    continue;
                };
                let again = |inner: Fault<'v>| fault(inner.message, input);
                let Some(left) = one(&left.map_err(again)?, input)? else {
                    continue;
                };
                let right = self.list(&[item], right).map_err(again)?;
                let Some(right) = one(&right, input)? else {
                    continue;
                };
                match compare::holds(left, operator, right) {
                    Ok(true) => passed.push(item),
                    Ok(false) => {}
                    Err(message) => return Err(fault(message, &passed)),
                }
            }
        }
        Ok(passed)
    }
}

/// The one side of a comparison; without it the element does not pass.
fn one<'v>(found: &[Item<'v>], input: &[Item<'v>]) -> Result<Option<Item<'v>>, Fault<'v>> {
    match found {
        [] => Ok(None),
        [item] => Ok(Some(*item)),
        _ => Err(fault("can only compare one element at a time", input)),
    }
}

/// The values of a key; what has no such key is left out without an error.
fn field<'v>(input: &[Item<'v>], name: &str) -> Vec<Item<'v>> {
    let values = input.iter().filter_map(|item| match item {
        Item::Map(map) => map.get(name),
        _ => None,
    });
    values.map(Item::from).collect()
}

fn elements<'v>(input: &[Item<'v>], slice: &Slice) -> Found<'v> {
    let mut picked = Vec::new();
    for value in input {
        let items = match value {
            Item::Seq(items) => items,
            Item::Null => continue,
            other => {
                return Err(fault(
                    format!("{} is not array or slice", other.type_name()),
                    input,
                ));
            }
        };
        let length = i64::try_from(items.len()).expect("a list in memory is shorter than 2^63");
        let from_end = |index: i64| {
            if index < 0 {
                index.wrapping_add(length)
            } else {
                index
            }
        };
        let start = from_end(slice.start.unwrap_or(0));
        let end = match slice.end {
            // `[-1]`: the successor of the last index is the end of the list, not its start.
            Some(0) if slice.single => length,
            Some(end) => from_end(end),
            None => length,
        };
        if start == end {
            return Ok(picked);
        }
        let outside = |index: i64| {
            fault(
                format!("array index out of bounds: index {index}, length {length}"),
                input,
            )
        };
        if start < 0 || start >= length {
            return Err(outside(start));
        }
        if end < 0 || end > length {
            return Err(outside(end.wrapping_sub(1)));
        }
        if start > end {
            return Err(fault(
                format!("starting index {start} is greater than ending index {end}"),
                input,
            ));
        }
        let step = match slice.step {
            Some(..=0) => return Err(fault("step must be > 0", input)),
            step => usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX),
        };
        let bounds = start as usize..end as usize;
        picked.extend(items[bounds].iter().step_by(step).map(Item::from));
    }
    Ok(picked)
}

/// Every value that holds others, outermost first.
fn recursive<'v>(input: &[Item<'v>]) -> Vec<Item<'v>> {
    let mut all = Vec::new();
    for value in input {
        let children = value.children();
        if !children.is_empty() {
            all.push(*value);
            all.append(&mut recursive(&children));
        }
    }
    all
}
