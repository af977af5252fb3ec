//! What is printed.

use crate::rounds::Measured;

/// Prints the lines of a row.
pub(crate) fn print(measured: &Measured<'_>) {
    let Measured { row, ratio, sides, fastest } = measured;
    println!("ratio {} {ratio} aim {}", row.name, row.aim);
    let mut line = format!("times {}", row.name);
    for (place, (name, figures)) in sides.iter().enumerate() {
        let mark = if place == *fastest { "*" } else { "" };
        let comma = if place == 0 { "" } else { "," };
        line += &format!(
            "{comma} {name}{mark} {:.1} [{:.1}-{:.1}]",
            figures.median, figures.least, figures.most
        );
    }
    println!("{line} ns");
}
