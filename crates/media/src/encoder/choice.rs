//! Which of the encoders that work is taken.

use protocol::{EncoderChoice, EncoderInfo, ErrorCode, UserError};

use super::Calibration;
use super::candidates::X264;

/// Marks the encoder that the studio takes, and gives it the calibration's preset and cost where it has them.
///
/// `found` is what [`super::probe`] found, best first. An encoder that the host named and that is gone is replaced
/// by the best one: a show must not fail because a graphics card was taken out.
///
/// # Errors
/// `NoEncoder` when none works.
pub fn choose(
    mut found: Vec<EncoderInfo>,
    choice: &EncoderChoice,
    calibration: Option<&Calibration>,
) -> Result<Vec<EncoderInfo>, UserError> {
    let named = match choice {
        EncoderChoice::Automatic => None,
        EncoderChoice::Named { id } => found.iter().position(|info| info.id == *id),
    };
    let taken = named.unwrap_or(0);
    if found.is_empty() {
        return Err(UserError::new(ErrorCode::NoEncoder).with("missing", X264));
    }
    for (index, info) in found.iter_mut().enumerate() {
        info.chosen = index == taken;
        if info.id == X264 {
            info.preset = calibration.map(|c| c.preset.clone());
            info.cost_percent = calibration.and_then(Calibration::cost_percent);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::candidates::CANDIDATES;

    /// A machine on which exactly these work.
    fn machine(works: &[&str]) -> Vec<EncoderInfo> {
        CANDIDATES
            .iter()
            .filter(|candidate| works.contains(&candidate.element))
            .map(|candidate| EncoderInfo {
                id: candidate.element.to_owned(),
                name: candidate.name.to_owned(),
                hardware: candidate.hardware,
                preset: None,
                cost_percent: None,
                chosen: false,
            })
            .collect()
    }

    fn taken(works: &[&str], choice: &EncoderChoice) -> Option<String> {
        let chosen = choose(machine(works), choice, None).ok()?;
        let mut ids = chosen.into_iter().filter(|info| info.chosen).map(|info| info.id);
        let id = ids.next();
        assert_eq!(ids.next(), None, "one is taken, not two");
        id
    }

    #[test]
    fn hardware_goes_before_software_and_x264_before_openh264() {
        let auto = EncoderChoice::Automatic;
        for (works, expected) in [
            (&["openh264enc", "x264enc", "vah264enc"][..], Some("vah264enc")),
            (&["x264enc", "vah264enc", "nvh264enc"], Some("nvh264enc")),
            (&["x264enc", "mfh264enc", "qsvh264enc"], Some("qsvh264enc")),
            (&["vtenc_h264_hw", "x264enc"], Some("vtenc_h264_hw")),
            (&["openh264enc", "x264enc"], Some("x264enc")),
            (&["openh264enc"], Some("openh264enc")),
            (&[], None),
        ] {
            assert_eq!(taken(works, &auto).as_deref(), expected, "{works:?}");
        }
    }

    #[test]
    fn the_hosts_choice_holds_while_it_works() {
        let named = |id: &str| EncoderChoice::Named { id: id.to_owned() };
        let works = ["nvh264enc", "x264enc"];
        assert_eq!(taken(&works, &named("x264enc")).as_deref(), Some("x264enc"));
        assert_eq!(
            taken(&works, &named("qsvh264enc")).as_deref(),
            Some("nvh264enc"),
            "it is gone"
        );
    }
}
