//! `callfloor init`: a ready scenario to start from.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use callfloor_scenario::{TEMPLATES, template};

use crate::ending::{Ending, Failure, print};

/// Write a ready scenario to start from
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which; `--list` shows them
    #[arg(default_value = "support-line")]
    name: String,
    /// Where to write it: a folder, or a file that ends in .toml
    #[arg(long, short, value_name = "FOLDER|FILE.toml", default_value = ".")]
    output: PathBuf,
    /// Show the ready scenarios
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    if arguments.list {
        print(&list())?;
        return Ok(Ending::Met);
    }
    let name = arguments.name.strip_suffix(".toml").unwrap_or(&arguments.name);
    let Some(template) = template(name) else {
        return Err(Failure::Input(format!("there is no ready scenario \"{name}\"; there are:\n{}", list())));
    };
    let named = arguments.output.extension().is_some_and(|extension| extension == "toml");
    let (folder, main) = if named {
        (arguments.output.parent().unwrap_or(Path::new("")).to_owned(), arguments.output.clone())
    } else {
        (arguments.output.clone(), arguments.output.join(format!("{}.toml", template.name)))
    };
    // The CSV files that it names lie beside it.
    let beside = template.files.iter().map(|(name, text)| (folder.join(name), *text));
    let files: Vec<(PathBuf, &str)> = std::iter::once((main, template.text)).chain(beside).collect();
    if let Some((file, _)) = files.iter().find(|(file, _)| file.exists()) {
        return Err(Failure::Input(format!(
            "{}: it exists already and is kept; name another place with --output",
            file.display()
        )));
    }
    if !folder.as_os_str().is_empty() {
        std::fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, "make", &error))?;
    }
    for (file, text) in &files {
        std::fs::write(file, text).map_err(|error| Failure::file(file, "write", &error))?;
    }
    print(&format!("Wrote {0}. Next: callfloor simulate {0}\n", files[0].0.display()))?;
    Ok(Ending::Met)
}

fn list() -> String {
    let width = TEMPLATES.iter().map(|template| template.name.len()).max().unwrap_or(0);
    TEMPLATES.iter().fold(String::new(), |mut text, template| {
        let _ = writeln!(text, "  {:width$}  {}", template.name, template.summary);
        text
    })
}
