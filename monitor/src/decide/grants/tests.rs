use super::*;

fn grant(id: &str, session: u64, object: Object, until_boot: u64) -> Grant {
    Grant {
        id: id.to_owned(),
        session: format!("s-{session}"),
        key: session,
        agent: "agent".to_owned(),
        object,
        by: Owner::default(),
        reason: None,
        event: None,
        rule: None,
        asked: None,
        given: Timestamp::UNIX_EPOCH,
        until: Timestamp::UNIX_EPOCH,
        until_boot,
        uses: 0,
        own_uses: 0,
        state: GrantState::Live,
    }
}

fn endpoint(port: u16) -> Object {
    Object::Endpoint {
        address: "192.0.2.7".parse().unwrap(),
        port,
        protocol: 6,
    }
}

fn file(inode: u64, access: Vec<Access>) -> Object {
    Object::File {
        inode,
        dev: 8 << 20 | 1,
        generation: 5,
        access,
        path: "/a".to_owned(),
        guarded_as: None,
    }
}

#[test]
fn keys_tell_sessions_objects_and_uses_apart() {
    let program = Object::Program {
        inode: 7,
        dev: 8 << 20 | 1,
        generation: 5,
        path: "/a".to_owned(),
        guarded_as: None,
    };
    let keys = [
        endpoint(1).key(1),
        endpoint(2).key(1),
        endpoint(1).key(2),
        file(7, vec![Access::Read]).key(1),
        file(8, vec![Access::Read]).key(1),
        program.key(1),
    ];
    for (at, key) in keys.iter().enumerate() {
        assert!(keys[at + 1..].iter().all(|other| other != key), "{key:?}");
    }
    let v4 = endpoint_key(1, "192.0.2.7".parse().unwrap(), 1, 6);
    let mapped = endpoint_key(1, "::ffff:192.0.2.7".parse().unwrap(), 1, 6);
    assert_eq!(v4, mapped);
}

#[test]
fn the_kernel_is_told_of_access_and_end() {
    let both = file(7, vec![Access::Read, Access::Write]).kernel(99);
    assert_eq!(
        (both.until, both.access, both.generation, both.uses),
        (99, 3, 5, 0)
    );
    assert_eq!(file(7, vec![Access::Read]).kernel(1).access, 1);
    assert_eq!(endpoint(1).kernel(1).access, 0);
}

#[test]
fn a_second_grant_for_the_same_thing_takes_the_place_of_the_first() {
    let mut grants = Grants::default();
    assert_eq!(grants.give(grant("a", 1, endpoint(1), 10)), None);
    assert_eq!(grants.give(grant("b", 2, endpoint(1), 10)), None);
    let replaced = grants.give(grant("c", 1, endpoint(1), 20));
    assert_eq!(
        replaced.map(|grant| (grant.id, grant.state)),
        Some(("a".to_owned(), GrantState::Replaced))
    );
    assert_eq!(grants.of(&endpoint(1).key(1)).unwrap().id, "c");
}

#[test]
fn a_grant_ends_with_its_time_or_its_session() {
    let mut grants = Grants::default();
    grants.give(grant("a", 1, endpoint(1), 10));
    grants.give(grant("b", 2, endpoint(1), 100));
    grants.give(grant("c", 3, endpoint(1), 100));
    let due = grants.due(10, |session| session != 3);
    assert_eq!(
        due,
        [
            ("a".to_owned(), GrantState::Expired),
            ("c".to_owned(), GrantState::Ended)
        ]
    );
    assert!(grants.holding(&endpoint(1).key(1), 9).is_some());
    assert!(grants.holding(&endpoint(1).key(1), 10).is_none());
}

#[test]
fn those_that_are_over_are_forgotten_in_the_end() {
    let mut grants = Grants::default();
    grants.give(grant("live", 1, endpoint(1), 10));
    for number in 0..OVER_MAX + 50 {
        let mut one = grant(&number.to_string(), 2, endpoint(2), 10);
        one.state = GrantState::Expired;
        grants.give(one);
    }
    assert_eq!(grants.iter().count(), OVER_MAX + 1);
    assert!(grants.get("live").is_some() && grants.get("0").is_none());
}
