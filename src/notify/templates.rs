use std::{error::Error as _, fs, io, path::Path};

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, escape_formatter, syntax::SyntaxConfig};

use super::wording::{one_line, wrap};
use crate::error::{Error, Kind};

/// The templates that come with the program.
const BUILT_IN: [(&str, &str); 10] = [
    ("base.html", include_str!("templates/base.html")),
    ("button.html", include_str!("templates/button.html")),
    ("welcome.html", include_str!("templates/welcome.html")),
    ("welcome.txt", include_str!("templates/welcome.txt")),
    ("warning.html", include_str!("templates/warning.html")),
    ("warning.txt", include_str!("templates/warning.txt")),
    ("removal.html", include_str!("templates/removal.html")),
    ("removal.txt", include_str!("templates/removal.txt")),
    ("admin.html", include_str!("templates/admin.html")),
    ("admin.txt", include_str!("templates/admin.txt")),
];

/// Columns of the text version; longer lines are wrapped.
const WIDTH: usize = 72;

/// The mail templates: the built-in ones, and those of `TEMPLATE_DIR` in place of them.
pub struct Templates {
    environment: Environment<'static>,
    own: Vec<String>,
    /// Put before each subject.
    mark: &'static str,
}

/// A mail's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// From the first line of the text template, on one line, not encoded.
    pub subject: String,
    /// Plain text, wrapped.
    pub text: String,
    /// HTML.
    pub html: String,
}

impl Templates {
    /// The built-in templates, with the `.html` and `.txt` files in `dir` in place of those of the same name; further files
    /// in it can be included by them.
    pub fn load(dir: Option<&Path>) -> Result<Self, Error> {
        let mut environment = Environment::new();
        // A debug build's errors would carry every variable.
        environment.set_debug(false);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(|out, state, value| match value.as_str() {
            Some(text) if *state.auto_escape() == AutoEscape::Html && !value.is_safe() => {
                Ok(out.write_str(&html(text))?)
            }
            _ => escape_formatter(out, state, value),
        });
        // A line that holds nothing but a tag leaves no empty line behind.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(wrong)?);
        environment
            .set_auto_escape_callback(|name| if name.ends_with(".txt") { AutoEscape::None } else { AutoEscape::Html });
        for (name, source) in BUILT_IN {
            environment.add_template(name, source).map_err(wrong)?;
        }
        let mut own = Vec::new();
        if let Some(dir) = dir {
            for (name, source) in read_dir(dir)? {
                environment.add_template_owned(name.clone(), source).map_err(wrong)?;
                own.push(name);
            }
        }
        Ok(Self { environment, own, mark: "" })
    }

    /// The same templates for mails that are only a test, and say so in their subject.
    pub fn for_tests(self) -> Self {
        Self { mark: "[test] ", ..self }
    }

    /// The names of the files that came from `TEMPLATE_DIR`, sorted.
    pub fn own(&self) -> &[String] {
        &self.own
    }

    /// Fills in `NAME.txt` and `NAME.html`.
    pub fn render(&self, name: &str, context: &Value) -> Result<Rendered, Error> {
        let file = format!("{name}.txt");
        let text = self.fill(&file, context)?;
        let (subject, text) = text.split_once('\n').ok_or_else(|| no_subject(&file))?;
        let subject = one_line(subject.strip_prefix("Subject:").unwrap_or_default());
        if subject.is_empty() || !text.trim_start_matches('\r').starts_with('\n') {
            return Err(no_subject(&file));
        }
        let html = self.fill(&format!("{name}.html"), &context! { subject => subject.as_str(), ..context.clone() })?;
        let subject = format!("{}{subject}", self.mark);
        Ok(Rendered { subject, text: wrap(text.trim(), WIDTH), html })
    }

    fn fill(&self, file: &str, context: &Value) -> Result<String, Error> {
        let template = self.environment.get_template(file).map_err(wrong)?;
        template.render(context).map_err(wrong)
    }
}

/// A template that can't be read or used. Never shows what was to be filled in.
fn unusable(what: String) -> Error {
    Error::new(Kind::Usage, what, "Mend the file, or take it out of TEMPLATE_DIR")
}

fn no_subject(file: &str) -> Error {
    unusable(format!("template {file}, line 1: the first line has to be \"Subject: …\", and the second one empty"))
}

/// The innermost of the engine's errors: it names the file that is wrong, not the one that includes it.
fn wrong(error: minijinja::Error) -> Error {
    let mut inner = &error;
    while let Some(source) = inner.source().and_then(|source| source.downcast_ref::<minijinja::Error>()) {
        inner = source;
    }
    let place = format!("template {}, line {}", inner.name().unwrap_or("?"), inner.line().unwrap_or_default());
    match inner.detail() {
        Some(detail) => unusable(format!("{place}: {}: {detail}", inner.kind())),
        None => unusable(format!("{place}: {}", inner.kind())),
    }
}

/// The text with everything escaped that means something in HTML. The engine's own way escapes slashes too, and so makes links
/// that nobody can read in the source.
fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The `.html` and `.txt` files of a directory, by name; hidden ones (an editor's, a Kubernetes volume's) left out.
fn read_dir(dir: &Path) -> Result<Vec<(String, String)>, Error> {
    let unreadable = |path: &Path| {
        let what = format!("TEMPLATE_DIR: {}", path.display());
        move |error: io::Error| unusable(format!("{what}: {error}"))
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable(dir))? {
        let path = entry.map_err(unreadable(dir))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !name.starts_with('.') && (name.ends_with(".html") || name.ends_with(".txt")) {
            files.push((name.to_owned(), fs::read_to_string(&path).map_err(unreadable(&path))?));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Templates, Error>) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let templates = Templates::load(Some(dir.path()));
        (dir, templates)
    }

    fn render(text: &str, html: &str, context: &Value) -> Result<Rendered, Error> {
        with(&[("admin.txt", text), ("admin.html", html)]).1?.render("admin", context)
    }

    #[test]
    fn html_is_escaped_and_text_is_not() {
        let name = "<script> & \"o'neill\" 🎬";
        let mail = render("Subject: {{ n }}\n\n{{ n }}", "<a href=\"{{ n }}/\">", &context! { n => name }).unwrap();
        assert_eq!((mail.subject.as_str(), mail.text.as_str()), (name, "<script> & \"o'neill\" 🎬\n"));
        assert_eq!(mail.html, "<a href=\"&lt;script&gt; &amp; &quot;o&#39;neill&quot; 🎬/\">");
    }

    #[test]
    fn a_line_break_in_a_name_ends_no_subject() {
        let mail = render("Subject: {{ n }}\n\nx", "", &context! { n => "a\rb\u{85}c" }).unwrap();
        assert_eq!(mail.subject, "a b c");
    }

    #[test]
    fn an_unknown_variable_is_an_error_that_shows_file_and_line_and_no_values() {
        let error = render("Subject: x\n\nx", "a\n{{ nmae }}", &context! { name => "hush" }).unwrap_err();
        assert!(error.to_string().starts_with("template admin.html, line 2: undefined value"), "{error}");
        assert!(!format!("{error:#} {error:?} {error:#?}").contains("hush"));
    }

    #[test]
    fn a_broken_template_is_found_when_it_is_loaded() {
        let (_dir, templates) = with(&[("welcome.html", "\n\n{% if %}")]);
        let error = templates.err().unwrap().to_string();
        assert!(error.starts_with("template welcome.html, line 3: syntax error"), "{error}");
    }

    #[test]
    fn an_error_in_the_frame_names_the_frame() {
        let (_dir, templates) = with(&[("button.html", "{{ nothing }}")]);
        let context = context! { name => "n", reason => "r", kick_days => 30, brand => context! {
        name => "b", color => "#000000", text_color => "#ffffff", link_contact => "l" } };
        let error = templates.unwrap().render("removal", &context).unwrap_err().to_string();
        assert!(error.starts_with("template button.html, line 1: undefined value"), "{error}");
    }

    #[test]
    fn a_text_without_a_subject_is_refused() {
        for text in ["", "Hello", "Hello\n\nthere", "Subject:\n\nx", "Subject: x\nHello"] {
            let error = render(text, "", &context! {}).unwrap_err();
            assert!(error.what().contains("the first line has to be \"Subject: …\""), "{text:?}: {error}");
        }
        render("Subject: x\r\n\r\nHello\r\n", "", &context! {}).unwrap();
    }

    #[test]
    fn only_templates_are_taken_from_the_directory() {
        let (_dir, templates) =
            with(&[("warning.txt", "Subject: x\n\nx"), (".admin.txt", "{% if %}"), ("notes.md", "{% if %}")]);
        assert_eq!(templates.unwrap().own(), ["warning.txt"]);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let error = Templates::load(Some(Path::new("/nowhere/at/all"))).err().unwrap().to_string();
        assert!(error.starts_with("TEMPLATE_DIR: /nowhere/at/all: "), "{error}");
    }
}
