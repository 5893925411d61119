//! The JSON Schema of a scenario file, for editors that complete and check while one types.

use serde_json::{Map, Value, json};

use crate::file::shape::{Bounds, Default, GREATEST, Key, Shape, Table};
use crate::file::tables::{SCENARIO, TABLES};

/// The JSON Schema (draft 2020-12) of a scenario file, as indented JSON that ends in a line feed.
///
/// It knows keys, types, bounds and words; references between parts and the contents of CSV files are checked by
/// [`Scenario::load`](crate::Scenario::load) alone.
///
/// ```
/// let schema: serde_json::Value = serde_json::from_str(&callfloor_scenario::json_schema()).unwrap();
/// assert_eq!(schema["$defs"]["queue"]["properties"]["ring_limit_s"]["exclusiveMinimum"], 0);
/// ```
#[must_use]
pub fn json_schema() -> String {
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!("Callfloor scenario"));
    schema.extend(table(&SCENARIO));
    let others = TABLES.iter().filter(|other| other.name != SCENARIO.name);
    let defs: Map<String, Value> = others.map(|other| (other.name.to_owned(), Value::Object(table(other)))).collect();
    schema.insert("$defs".into(), Value::Object(defs));
    let mut text = serde_json::to_string_pretty(&Value::Object(schema)).unwrap_or_default();
    text.push('\n');
    text
}

fn table(table: &Table) -> Map<String, Value> {
    let required: Vec<&str> = table.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let properties: Map<String, Value> = table.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let mut object = Map::new();
    object.insert("type".into(), json!("object"));
    object.insert("description".into(), json!(table.doc));
    object.insert("properties".into(), Value::Object(properties));
    if !required.is_empty() {
        object.insert("required".into(), json!(required));
    }
    object.insert("additionalProperties".into(), json!(false));
    object
}

fn property(key: &Key) -> Value {
    let mut value = shape(&key.shape);
    let default = match key.default {
        Default::None | Default::Words(_) => None,
        Default::Number(number) => Some(json!(number)),
        Default::Integer(number) => Some(json!(number)),
        Default::Flag(flag) => Some(json!(flag)),
        Default::Text(text) => Some(json!(text)),
    };
    let doc = match key.default {
        Default::Words(words) => format!("{} Default: {words}.", key.doc),
        _ => key.doc.to_owned(),
    };
    if let Value::Object(object) = &mut value {
        object.insert("description".into(), json!(doc));
        if let Some(default) = default {
            object.insert("default".into(), default);
        }
    }
    value
}

fn shape(of: &Shape) -> Value {
    match of {
        Shape::Text => json!({ "type": "string", "minLength": 1 }),
        Shape::Choice(words) => json!({ "type": "string", "enum": words }),
        Shape::Integer(low, i64::MAX) => json!({ "type": "integer", "minimum": low }),
        Shape::Integer(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Shape::Number(bounds) => number(*bounds),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Time => json!({ "type": "string", "pattern": "^([01]?[0-9]|2[0-4]):[0-5][0-9](:[0-5][0-9])?$" }),
        Shape::Date => json!({ "type": "string", "format": "date" }),
        Shape::List(of) => json!({ "type": "array", "items": shape(of) }),
        Shape::Table(table) => json!({ "$ref": format!("#/$defs/{}", table.name) }),
        Shape::Map(of, _) => json!({ "type": "object", "additionalProperties": shape(of) }),
        Shape::Either(shapes) => json!({ "anyOf": shapes.iter().map(shape).collect::<Vec<_>>() }),
    }
}

fn number(bounds: Bounds) -> Value {
    match bounds {
        Bounds::NotNegative => json!({ "type": "number", "minimum": 0, "maximum": GREATEST }),
        Bounds::Positive => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": GREATEST }),
        Bounds::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Bounds::PositiveShare => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }),
        Bounds::ShareBelowOne => json!({ "type": "number", "minimum": 0, "exclusiveMaximum": 1 }),
        Bounds::Any => json!({ "type": "number", "minimum": -GREATEST, "maximum": GREATEST }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` in a value.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_table_is_reached() {
        let schema: Value = serde_json::from_str(&json_schema()).unwrap();
        let mut found = Vec::new();
        references(&schema, &mut found);
        let defs = schema["$defs"].as_object().unwrap();
        for reference in &found {
            assert!(defs.contains_key(reference.trim_start_matches("#/$defs/")), "{reference} leads nowhere");
        }
        for name in defs.keys() {
            assert!(found.contains(&format!("#/$defs/{name}")), "nothing refers to {name}");
        }
    }
}
