//! Bodies that fit the API's own document: for walks over every route.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use serde_json::{Map, Value, json};

/// The body that an operation of the document takes, with everything in it that may be; `None` where it takes none.
pub fn body(document: &Value, path: &str, method: &str) -> Option<Value> {
    let operation = &document["paths"][path][method.to_lowercase()];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    schema.is_object().then(|| of(document, schema, 0))
}

/// Something of a schema.
fn of(document: &Value, schema: &Value, depth: usize) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().expect("a name");
        return of(document, &document["components"]["schemas"][name], depth + 1);
    }
    if depth > 12 {
        return Value::Null;
    }
    if let Some(one) = schema["enum"].as_array().and_then(|all| all.first()) {
        return one.clone();
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(all) = schema[key].as_array() {
            let real = all.iter().find(|one| one["type"] != "null").expect("one that is something");
            return of(document, real, depth + 1);
        }
    }
    if let Some(all) = schema["allOf"].as_array() {
        let mut whole = Map::new();
        for part in all {
            if let Value::Object(part) = of(document, part, depth + 1) {
                whole.extend(part);
            }
        }
        return Value::Object(whole);
    }
    if !schema["example"].is_null() {
        return schema["example"].clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").cloned().unwrap_or_default(),
        kind => kind.clone(),
    };
    match kind.as_str().unwrap_or_default() {
        "integer" | "number" => schema["minimum"].as_u64().map_or(json!(0), |least| json!(least)),
        "boolean" => json!(false),
        "string" => json!("0312345678"),
        "array" => json!([of(document, &schema["items"], depth + 1)]),
        _ => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            Value::Object(fields.map(|(name, field)| (name.clone(), of(document, field, depth + 1))).collect())
        }
    }
}
