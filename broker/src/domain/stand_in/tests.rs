use super::*;

const NOW: Timestamp = Timestamp::from_unix(1_000_000);
const MINUTE: Duration = Duration::from_secs(60);

fn given(generation: u64) -> Given {
    Given { credential: "4k2j".into(), generation }
}

/// Number 1 went out with generation 1, number 2 a day later with generation 2.
fn second() -> (Lineage, Timestamp) {
    let later = NOW + LONGEST_LIFE;
    (Lineage::begin(given(1), NOW).after(1, given(2), later).unwrap(), later)
}

#[test]
fn it_changes_with_the_token_and_with_the_day_and_not_otherwise() {
    let first = Lineage::begin(given(1), NOW);
    let used = first.after(1, given(1), NOW + MINUTE).unwrap();
    assert_eq!(used.newest(), 1);
    assert_eq!(used.after(1, given(1), NOW + LONGEST_LIFE - MINUTE).unwrap(), used);
    assert_eq!(used.after(1, given(1), NOW + LONGEST_LIFE).unwrap().newest(), 2);
    assert_eq!(used.after(1, given(2), NOW + MINUTE).unwrap().newest(), 2);
}

#[test]
fn eight_that_present_the_same_one_get_the_same_successor() {
    let (mut family, later) = second();
    for seconds in 0..8 {
        family = family.after(1, given(2), later + Duration::from_secs(seconds)).unwrap();
        assert_eq!(family.newest(), 2);
    }
    // One of them goes on at once; the others are not thrown out by that.
    family = family.after(2, given(3), later + MINUTE).unwrap();
    assert_eq!(family.after(1, given(3), later + MINUTE).unwrap().newest(), 3);
    assert_eq!(family.after(2, given(3), later + MINUTE).unwrap().newest(), 3);
}

#[test]
fn each_one_remembers_the_token_that_went_with_it() {
    let (family, _) = second();
    assert_eq!(family.given(1), Some(&given(1)));
    assert_eq!(family.given(2), Some(&given(2)));
    assert_eq!(family.given(3), None);
}

#[test]
fn an_hour_after_its_successor_was_used_it_is_a_copy() {
    let (family, later) = second();
    let family = family.after(2, given(2), later + MINUTE).unwrap();
    assert_eq!(family.admit(1, later + GRACE - Duration::from_secs(1)), Ok(()));
    assert_eq!(family.admit(1, later + GRACE), Err(Reused));
    assert_eq!(family.after(1, given(2), later + GRACE), Err(Reused));
}

#[test]
fn whoever_lost_the_answer_goes_on_however_late() {
    let (family, later) = second();
    let late = later + 50 * GRACE;
    let family = family.after(1, given(2), late).unwrap();
    assert_eq!(family.newest(), 3);
    // The answer may be lost again.
    assert_eq!(family.after(1, given(2), late + MINUTE).unwrap().newest(), 3);
    let family = family.after(1, given(2), late + 2 * GRACE).unwrap();
    assert_eq!(family.newest(), 4);
    // It was not lost after all: somebody else has it.
    assert_eq!(family.admit(2, late + 2 * GRACE), Err(Reused));
    assert_eq!(family.admit(3, late + 2 * GRACE), Err(Reused));
}

/// Two answers within the hour, each with another successor because the token changed between them.
#[test]
fn whoever_lost_several_answers_goes_on_and_one_that_arrived_after_all_is_found_out() {
    let (family, later) = second();
    let lost = family.after(1, given(3), later + MINUTE).unwrap();
    assert_eq!(lost.newest(), 3);
    let late = later + 50 * GRACE;
    assert_eq!(lost.after(1, given(3), late).unwrap().newest(), 4);
    for arrived in [2, 3] {
        let seen = lost.after(arrived, given(3), later + 2 * MINUTE).unwrap();
        assert_eq!(seen.admit(1, late), Err(Reused), "{arrived} is in use");
    }
}

#[test]
fn two_machines_with_one_file_are_found_out_when_both_renew() {
    let ten_days = 10 * LONGEST_LIFE;
    let mut family = Lineage::begin(given(1), NOW);
    let (mut owner, mut thief) = (1, 1);
    let mut moment = NOW;
    let mut generation = 1;
    let found = (0..4).find(|_| {
        moment = moment + ten_days;
        generation += 1;
        let holder = if generation % 2 == 0 { &mut owner } else { &mut thief };
        match family.after(*holder, given(generation), moment) {
            Ok(next) => {
                *holder = next.newest();
                family = next;
                false
            }
            Err(Reused) => true,
        }
    });
    assert_eq!(found, Some(2), "the owner's second renewal");
}

#[test]
fn one_that_a_restored_database_does_not_know_yet_is_believed() {
    let (family, later) = second();
    let family = family.after(9, given(2), later + MINUTE).unwrap();
    assert_eq!(family.newest(), 10);
    assert_eq!(family.admit(9, later + 2 * MINUTE), Ok(()));
    assert_eq!(family.admit(2, later + 2 * MINUTE), Err(Reused));
}

#[test]
fn only_a_few_are_remembered() {
    let mut family = Lineage::begin(given(1), NOW);
    for generation in 2..40 {
        family = family.after(family.newest(), given(generation), NOW + MINUTE).unwrap();
    }
    assert_eq!(family.replaced.len(), REMEMBERED);
    assert_eq!(family.admit(family.newest() - REMEMBERED as u64, NOW + MINUTE), Ok(()));
    assert_eq!(family.admit(family.newest() - REMEMBERED as u64 - 1, NOW + MINUTE), Err(Reused));
}

#[test]
fn it_is_written_as_this_json() {
    let (family, _) = second();
    let json = concat!(
        r#"{"newest":{"number":2,"given":{"credential":"4k2j","generation":2},"since":1086400},"used":"never","#,
        r#""replaced":[{"number":1,"given":{"credential":"4k2j","generation":1},"since":1086400,"used":"seen"}]}"#
    );
    assert_eq!(serde_json::to_string(&family).unwrap(), json);
    assert_eq!(serde_json::from_str::<Lineage>(json).unwrap(), family);
    let earlier = json.replace(r#","used":"seen"}]"#, "}]");
    assert_ne!(earlier, json);
    assert_eq!(serde_json::from_str::<Lineage>(&earlier).unwrap(), family, "as it was written before");
}
