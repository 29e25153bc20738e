//! Exports that are whole, and all the ways in which one is not.

use std::io;

use chatroom_core::test_util::HandFacts;
use chatroom_core::{
    ChatroomId, Counters, ExportId, Import, ImportMark, ImportState, JoinOrder, Membership, MockImport,
    MockPicture, Portable, Room, RoomInfo, RoomKey, Seq, StorageError, StorageErrorKind, User, UserId,
};

use super::*;

const ID: ExportId = ExportId(0xE0);

fn some() -> Vec<Portable> {
    let app = HandFacts::APP;
    let key = RoomKey { app, id: ChatroomId::TEST };
    let user = |n: u64| User {
        app,
        id: UserId(n),
        name: format!("u{n}").parse().unwrap(),
        nickname: (n == 1).then(|| "One".into()),
        deleted: false,
    };
    let room = Room {
        key,
        owner: UserId(1),
        owner_name: "u1".parse().unwrap(),
        info: RoomInfo::default().into(),
        created: HandFacts::NOW,
        dissolved: None,
    };
    vec![
        Portable::User(user(1)),
        Portable::User(user(2)),
        Portable::Room(room, Counters { seq: Seq(3), members: 1 }),
        Portable::Membership(Membership { room: key, user: UserId(1), joined: JoinOrder(1_024) }),
    ]
}

/// Tells these in parts of this size.
fn told(all: Vec<Portable>, size: usize) -> Box<dyn Picture> {
    let mut picture = MockPicture::new();
    let mut rest = all.into_iter();
    picture.expect_next().returning(move || Ok(rest.by_ref().take(size).collect()));
    Box::new(picture)
}

async fn written(all: Vec<Portable>, size: usize) -> String {
    let made = Export { id: ID, at: HandFacts::NOW, picture: told(all, size) };
    let (bytes, _) = export(made, Vec::new(), &mut |_, _| {}).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

fn read(text: &[u8]) -> Result<Vec<Portable>, read::ReadError> {
    let mut reader = Reader::begin(text)?;
    let mut all = Vec::new();
    while let Some(portable) = reader.next()? {
        all.push(portable);
    }
    Ok(all)
}

fn refused(text: &str) -> String {
    read(text.as_bytes()).unwrap_err().to_string()
}

#[tokio::test]
async fn an_export_is_read_as_it_was_written() {
    let text = written(some(), 3).await;
    assert_eq!(read(text.as_bytes()).unwrap(), some());
    assert_eq!(text, written(some(), 1).await, "how it is told does not matter");
    let lines: Vec<_> = text.lines().collect();
    insta::assert_snapshot!(lines[0].replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"{"kind":"chatroom_export","format":1,"export":"00000000-0000-0000-0000-0000000000e0","at":1700000000000,"version":"VERSION"}"#);
    let (_, sums) = lines[5].split_once("\"sums\":").unwrap();
    insta::assert_snapshot!(sums, @r#"{"app":{"records":0,"hash":"0000000000000000000000000000000000000000000000000000000000000000"},"user":{"records":2,"hash":"28de0e6e2062ad86cafeefe148fd265fe72142a6c0bba76c4c8f2b50ab738808"},"room":{"records":1,"hash":"fcddb785d87cae4a9b688140fe4611266eac185101efda78852ca586470584c7"},"membership":{"records":1,"hash":"b499fe5f4d85dce2773c6001ec8aea6a4fb3b3e5a1a81705f4669f2b26e90d20"},"sweep":{"records":0,"hash":"0000000000000000000000000000000000000000000000000000000000000000"},"event":{"records":0,"hash":"0000000000000000000000000000000000000000000000000000000000000000"},"rule":{"records":0,"hash":"0000000000000000000000000000000000000000000000000000000000000000"},"cursor":{"records":0,"hash":"0000000000000000000000000000000000000000000000000000000000000000"},"dead_letter":{"records":0,"hash":"0000000000000000000000000000000000000000000000000000000000000000"}}}"#);
}

#[tokio::test]
async fn an_export_that_is_cut_off_anywhere_is_refused() {
    let text = written(some(), 9).await;
    for end in 0..text.len() {
        let error = read(&text.as_bytes()[..end]).unwrap_err();
        let first = end <= text.find('\n').unwrap();
        assert!(first || matches!(error, read::ReadError::CutOff { .. }), "{end}: {error}");
    }
    let five: String = text.split_inclusive('\n').take(5).collect();
    insta::assert_snapshot!(refused(&five), @"it is cut off behind line 5: take a whole copy, or export again");
    insta::assert_snapshot!(refused(&five[..five.len() - 2]), @"it is cut off behind line 4: take a whole copy, or export again");
}

#[tokio::test]
async fn an_export_of_which_any_byte_is_another_is_refused() {
    let text = written(some(), 9).await;
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        assert!(read(&bytes).is_err(), "byte {at} of {}", String::from_utf8_lossy(&bytes));
    }
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let exchanged = [lines[0], lines[2], lines[1], lines[3], lines[4], lines[5]].concat();
    let without = [lines[0], lines[2], lines[3], lines[4], lines[5]].concat();
    let twice = format!("{text}{text}");
    for altered in [exchanged, without, twice] {
        insta::allow_duplicates! { insta::assert_snapshot!(refused(&altered), @"it is damaged: it is not what its last line says of it"); }
    }
    insta::assert_snapshot!(refused(&text.replace("\"joined\":", "\"jained\":")), @"line 5 is damaged: unknown field `jained`, expected one of `app`, `room`, `user`, `joined`");
    insta::assert_snapshot!(refused(&text.replace("\"u1\"", "\"u!\"")), @"line 2 is damaged: username [u!] is not legal");
}

#[tokio::test]
async fn a_newer_format_an_unknown_kind_and_other_files_are_refused_by_their_names() {
    let text = written(some(), 9).await;
    let newer = text.replace("\"format\":1", "\"shape\":\"round\",\"format\":2");
    insta::assert_snapshot!(refused(&newer.replace(env!("CARGO_PKG_VERSION"), "9.1.0")), @"it has format 2, and this version reads formats up to 1: import it with the version that made it, 9.1.0, or a newer one");
    insta::assert_snapshot!(refused(&text.replace("\"kind\":\"room\"", "\"kind\":\"mute\"")), @"line 4 is of the kind `mute`, which format 1 does not have: it is damaged, or chatroom-server did not make it");
    for other in ["", "\n", "{}\n", "PK\u{3}\u{4}", "[[apps]]\norg = \"demo\"\n"] {
        insta::allow_duplicates! { insta::assert_snapshot!(refused(other), @"it is no export of chatroom-server: its first line does not say so"); }
    }
    let endless =
        format!("{}{{\"kind\":\"{}", text.split_inclusive('\n').next().unwrap(), "x".repeat(17 << 20));
    insta::assert_snapshot!(refused(&endless), @"line 2 is damaged: it does not end");
}

/// A store that takes nothing and then tells this.
fn target(state: ImportState, tells: Vec<Portable>) -> MockImport {
    let mut target = MockImport::new();
    target.expect_state().returning(move || Ok(state));
    target.expect_take().returning(|_, _| Ok(()));
    target.expect_picture().return_once(|| Ok(told(tells, 9)));
    target
}

async fn imported(target: &mut dyn Import, text: &str) -> Result<u64, String> {
    let reader = Reader::begin(text.as_bytes()).unwrap();
    let imported = import(target, reader, &mut |_, _| {}).await;
    imported.map(|imported| imported.sums.records()).map_err(|error| format!("{error:#}"))
}

#[tokio::test]
async fn an_import_is_finished_only_if_the_store_tells_what_the_export_holds() {
    let text = written(some(), 9).await;
    let mut honest = target(ImportState::Empty, some());
    honest.expect_finish().once().returning(|| Ok(()));
    assert_eq!(imported(&mut honest, &text).await, Ok(4));
    let mut lossy = target(ImportState::Empty, some()[..3].to_vec());
    insta::assert_snapshot!(imported(&mut lossy, &text).await.unwrap_err(), @"what the store holds is not what the export holds; the hashes of these differ: membership. The import is not finished, and nothing is served from the store: import a whole copy of the same export, which goes on where this one stopped, or begin anew with an empty store");
}

#[tokio::test]
async fn an_import_that_goes_on_takes_only_what_is_behind_the_mark() {
    let text = written(some(), 9).await;
    let mark = ImportMark { export: ID, taken: 3 };
    let mut target = MockImport::new();
    target.expect_state().returning(move || Ok(ImportState::Unfinished(mark)));
    target
        .expect_take()
        .once()
        .withf(|part, mark| part[..] == some()[3..] && *mark == ImportMark { export: ID, taken: 4 })
        .returning(|_, _| Ok(()));
    target.expect_picture().return_once(|| Ok(told(some(), 9)));
    target.expect_finish().once().returning(|| Ok(()));
    assert_eq!(imported(&mut target, &text).await, Ok(4));
}

#[tokio::test]
async fn a_store_that_holds_something_else_or_fails_ends_the_import_with_the_reason() {
    let text = written(some(), 9).await;
    let mut filled = target(ImportState::Filled, some());
    insta::assert_snapshot!(imported(&mut filled, &text).await.unwrap_err(), @"the store takes no import: it holds data: an export is imported into an empty store only");
    let other = ImportMark { export: ExportId(7), taken: 1 };
    let mut other = target(ImportState::Unfinished(other), some());
    insta::assert_snapshot!(imported(&mut other, &text).await.unwrap_err(), @"the store takes no import: it holds a part of another export, 00000000-0000-0000-0000-000000000007: finish that import, or begin with an empty store");
    let mut failing = MockImport::new();
    failing.expect_state().returning(|| Ok(ImportState::Empty));
    failing.expect_take().returning(|_, _| {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        Err(StorageError::caused_by(StorageErrorKind::Unavailable, "nothing was written", full))
    });
    insta::assert_snapshot!(imported(&mut failing, &text).await.unwrap_err(), @"the store cannot be written: the store is unavailable: nothing was written: no storage space");
}

#[tokio::test]
async fn an_export_whose_store_fails_or_whose_reader_goes_away_fails() {
    let mut picture = MockPicture::new();
    picture
        .expect_next()
        .returning(|| Err(StorageError::new(StorageErrorKind::Corrupt, "a part is damaged")));
    let made = Export { id: ID, at: HandFacts::NOW, picture: Box::new(picture) };
    let error = export(made, Vec::new(), &mut |_, _| {}).await.unwrap_err();
    insta::assert_snapshot!(format!("{error:#}"), @"the store cannot be read: the store is corrupt: a part is damaged");

    let made = Export { id: ID, at: HandFacts::NOW, picture: told(some(), 9) };
    let error = export(made, &mut [0_u8; 10][..], &mut |_, _| {}).await.unwrap_err();
    insta::assert_snapshot!(format!("{error:#}"), @"the output cannot be written: failed to write whole buffer");
}
