//! Comparisons inside filters: only like with like, as Go's templates compare.

use std::cmp::Ordering;

use super::Item;

const BAD_TYPE: &str = "invalid type for comparison";
const INCOMPATIBLE: &str = "incompatible types for comparison";

/// Whether `left OPERATOR right` holds, or why the two cannot be compared so.
pub(super) fn holds(left: Item<'_>, operator: &str, right: Item<'_>) -> Result<bool, String> {
    match operator {
        "==" => equal(left, right),
        "!=" => equal(left, right).map(|equal| !equal),
        "<" => Ok(order(left, right)? == Some(Ordering::Less)),
        "<=" => Ok(matches!(
            order(left, right)?,
            Some(Ordering::Less | Ordering::Equal)
        )),
        ">" => Ok(order(left, right)? == Some(Ordering::Greater)),
        ">=" => Ok(matches!(
            order(left, right)?,
            Some(Ordering::Greater | Ordering::Equal)
        )),
        _ => Err(format!("unrecognized filter operator {operator}")),
    }
}

fn equal(left: Item<'_>, right: Item<'_>) -> Result<bool, String> {
    match (left, right) {
        (Item::Bool(left), Item::Bool(right)) => Ok(left == right),
        _ => Ok(order(left, right)? == Some(Ordering::Equal)),
    }
}

fn order(left: Item<'_>, right: Item<'_>) -> Result<Option<Ordering>, String> {
    match (left, right) {
        (Item::Int(left), Item::Int(right)) => Ok(Some(left.cmp(&right))),
        (Item::Int(left), Item::Byte(right)) => Ok(Some(left.cmp(&right.into()))),
        (Item::Byte(left), Item::Int(right)) => Ok(Some(i64::from(left).cmp(&right))),
        (Item::Byte(left), Item::Byte(right)) => Ok(Some(left.cmp(&right))),
        (Item::Float(left), Item::Float(right)) => Ok(left.partial_cmp(&right)),
        (Item::Text(left), Item::Text(right)) => Ok(Some(left.cmp(right))),
        (Item::Bool(_), Item::Bool(_)) => Err(BAD_TYPE.to_owned()),
        (left, right) if basic(left) && basic(right) => Err(INCOMPATIBLE.to_owned()),
        _ => Err(BAD_TYPE.to_owned()),
    }
}

fn basic(item: Item<'_>) -> bool {
    !matches!(
        item,
        Item::Null | Item::Nothing | Item::Seq(_) | Item::Map(_)
    )
}
