//! A tree that runs already is adopted whole, even while it forks without end.

use std::time::{Duration, Instant};

use scopeward_tests::attack::loot::Loot;
use scopeward_tests::attack::slot::State;
use scopeward_tests::daemon::{Daemon, listing};
use scopeward_tests::process::{Bounded, wait_until};
use scopeward_tests::programs;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scratch::Scratch;
use scopeward_tests::secret::Secret;

/// Lines of descent in the storm.
const LINES: usize = 12;
const BOUND: Duration = Duration::from_secs(30);

struct Storm {
    loot: Loot,
    process: Bounded,
}

/// Starts a fork storm of the program `name` in `scratch`.
fn start(scratch: &Scratch, name: &str) -> Storm {
    let program = scratch.path(name);
    std::fs::copy(programs::attack(), &program).expect("copy the attack program");
    let loot_path = scratch.path(&format!("loot-{name}"));
    let loot = Loot::create(&loot_path, LINES).expect("make the loot");
    let mut command = std::process::Command::new(program);
    command
        .arg("storm")
        .arg(loot_path)
        .arg(scratch.path("guarded/credential"))
        .arg(scratch.path("sign"))
        .arg("30");
    Storm {
        loot,
        process: Bounded::start(&mut command).expect("start the storm"),
    }
}

fn count(storm: &Storm, fits: impl Fn(State) -> bool) -> usize {
    (0..LINES)
        .filter(|line| fits(storm.loot.slot(*line).state()))
        .count()
}

fn obtained(storm: &Storm, secret: &Secret) -> usize {
    (0..LINES)
        .filter(|line| secret.found_in(&storm.loot.slot(*line).data()) > 0)
        .count()
}

/// How the attempts of a storm ended, for messages.
fn ends(storm: &Storm) -> String {
    let slots = (0..LINES).map(|line| storm.loot.slot(line));
    slots
        .map(|slot| format!("{:?} {}", slot.state(), slot.errno()))
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn a_storm_of_forks_is_adopted_whole_and_its_neighbour_not_at_all() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward, Need::Speed]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let secret = Secret::new().expect("make a secret");
    std::fs::write(scratch.path("guarded/credential"), secret.bytes()).expect("write");
    let scope = format!(
        "name = \"storm\"\nmode = \"enforce\"\n[[match]]\nexe = {:?}\n[files]\ndefault = \"allow\"\n\
         [[files.rule]]\npaths = [{:?}]\nresponse = \"kill\"\n",
        scratch.path("agent").display().to_string(),
        scratch.path("guarded/credential").display().to_string()
    );
    scratch
        .write("scopes/storm.toml", scope)
        .expect("write the scope");

    let agent = start(&scratch, "agent");
    let neighbour = start(&scratch, "neighbour");
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let ready = begun.elapsed();
    let adopted = wait_until(BOUND, || {
        listing(&scratch, &["sessions", "--json"]).is_ok_and(|sessions| !sessions.is_empty())
    });
    std::thread::sleep(Duration::from_millis(300));
    std::fs::write(scratch.path("sign"), "").expect("give the sign");
    // Whoever is killed stays at what it began; a neighbour's answer may take its time on a busy machine.
    let everybody = wait_until(BOUND, || {
        count(&agent, |state| state != State::Untried) == LINES
            && count(&neighbour, |state| state == State::Done) == LINES
    });
    std::thread::sleep(Duration::from_millis(300));
    let figures = format!(
        "ready after {ready:?}, adopted {adopted}, everybody tried {everybody}, agent obtained {}, neighbour {}",
        obtained(&agent, &secret),
        obtained(&neighbour, &secret)
    );
    let figures = format!(
        "{figures}\nagent: {}\nneighbour: {}",
        ends(&agent),
        ends(&neighbour)
    );
    let (agent_loot, neighbour_loot) = (obtained(&agent, &secret), obtained(&neighbour, &secret));
    agent.process.finish(BOUND).expect("the storm ends");
    neighbour.process.finish(BOUND).expect("its neighbour ends");
    daemon.stop().expect("stop");
    assert!(adopted && everybody, "{figures}");
    assert_eq!(agent_loot, 0, "{figures}");
    assert_eq!(neighbour_loot, LINES, "{figures}");
}
