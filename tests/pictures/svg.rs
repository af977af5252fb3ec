//! A picture that shows in light and dark, also as an image in a page.

use std::fmt::Write;

/// Its colours twice. A page that shows a picture as an image passes on which of them it wants.
const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2328}
.code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12px}
.big{font-size:15px;font-weight:600}
.soft{fill:#59636e;font-size:12px}
.mid{text-anchor:middle}
.end{text-anchor:end}
rect,circle{stroke-width:1.5}
.paper{fill:#fff;stroke:#d1d9e0}
path{fill:none;stroke-width:1.5}
.dash{stroke-dasharray:5 4}
.ink{fill:#59636e;stroke:#59636e}
.plain{fill:#f6f8fa;stroke:#818b98}
.thread{fill:#ddf4ff;stroke:#0969da}
.loop{fill:#dafbe1;stroke:#1a7f37}
.cell{fill:#fff8c5;stroke:#9a6700}
.stop{fill:#ffebe9;stroke:#cf222e}
path.ink,path.plain,path.thread,path.loop,path.cell,path.stop{fill:none}
.head.thread{fill:#0969da}.head.loop{fill:#1a7f37}.head.cell{fill:#9a6700}.head.stop{fill:#cf222e}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}
.soft{fill:#9da7b3}
.paper{fill:#161b22;stroke:#3d444d}
.ink{fill:#9da7b3;stroke:#9da7b3}
.plain{fill:#21262d;stroke:#848d97}
.thread{fill:#0c2d55;stroke:#58a6ff}
.loop{fill:#0f3a1d;stroke:#3fb950}
.cell{fill:#3a2d05;stroke:#d29922}
.stop{fill:#4a1717;stroke:#ff7b72}
.head.thread{fill:#58a6ff}.head.loop{fill:#3fb950}.head.cell{fill:#d29922}.head.stop{fill:#ff7b72}
}
";

/// How much of the size of its text a character is wide, at the most.
const WIDE: i32 = 7;

/// A picture that is being drawn. Colours and alignment are the classes of [`STYLE`].
pub(crate) struct Picture {
    head: String,
    body: String,
}

/// A place.
pub(crate) type At = (i32, i32);

impl Picture {
    /// An empty picture of a size. Who does not see it is told what it shows.
    pub(crate) fn new(size: At, title: &str, told: &str) -> Self {
        let (width, height) = size;
        let head = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\">\n<title>{}</title>\n<desc>{}</desc>\n<style>\n{STYLE}</style>\n",
            escaped(title),
            escaped(told)
        );
        let mut picture = Self { head, body: String::new() };
        picture.rect("paper", (1, 1), (width - 2, height - 2));
        picture
    }

    /// A box with round corners.
    pub(crate) fn rect(&mut self, class: &str, (x, y): At, (width, height): At) {
        let _ = writeln!(
            self.body,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>"
        );
    }

    /// A line of text, whose baseline begins there, or has there its middle or end.
    pub(crate) fn text(&mut self, class: &str, (x, y): At, text: &str) {
        let text = escaped(text);
        let _ = writeln!(self.body, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>");
    }

    /// Lines of text below each other.
    pub(crate) fn lines(&mut self, class: &str, (x, y): At, lines: &[impl AsRef<str>]) {
        for (line, below) in lines.iter().zip(0..) {
            self.text(class, (x, y + below * 18), line.as_ref());
        }
    }

    /// A box around lines of text in its middle, the first of them large.
    pub(crate) fn card(&mut self, class: &str, at: At, size: At, lines: &[&str]) {
        self.rect(class, at, size);
        let middle = at.0 + size.0 / 2;
        let count = i32::try_from(lines.len()).unwrap();
        let top = at.1 + size.1 / 2 - (count - 1) * 9 + 5;
        for (line, below) in lines.iter().zip(0..) {
            let of = if below == 0 { "big mid" } else { "mid soft" };
            assert!(i32::try_from(line.len()).unwrap() * WIDE <= size.0 + 24, "no room for {line}");
            self.text(of, (middle, top + below * 18), line);
        }
    }

    /// A line through places, without a head.
    pub(crate) fn line(&mut self, class: &str, through: &[At]) {
        let places: Vec<_> = through.iter().map(|(x, y)| format!("{x} {y}")).collect();
        let _ = writeln!(self.body, "<path class=\"{class}\" d=\"M{}\"/>", places.join("L"));
    }

    /// An arrow through places, with its head at the last.
    pub(crate) fn arrow(&mut self, class: &str, through: &[At]) {
        let [.., from, to] = through else { panic!("an arrow has two ends") };
        self.line(class, through);
        let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let length = dx.hypot(dy);
        let (dx, dy) = (dx / length, dy / length);
        let corner = |back: f64, aside: f64| {
            let x = f64::from(to.0) - back * dx - aside * dy;
            let y = f64::from(to.1) - back * dy + aside * dx;
            format!("{x:.1},{y:.1}")
        };
        let _ = writeln!(
            self.body,
            "<polygon class=\"head {class}\" points=\"{},{} {} {}\"/>",
            to.0,
            to.1,
            corner(10.0, 4.5),
            corner(10.0, -4.5)
        );
    }

    /// The text of the file.
    pub(crate) fn finish(self) -> String {
        self.head + &self.body + "</svg>\n"
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
