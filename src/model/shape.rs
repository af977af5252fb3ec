//! What a program does, and what it mentions.

use super::{
    names::Names,
    own::{Is, Variable},
    program::{Agent, Do, Future, Futures, Kind, Piece, Role},
    state::Set,
};

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) script: Vec<Do>,
}

/// What is done, without the rules by which it is done. It is all that a property can see of a
/// program.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    pub(super) members: Vec<Member>,
    pub(super) pieces: Vec<(Kind, Vec<Do>)>,
    pub(super) futures: u8,
    pub(super) locks: u8,
    pub(super) pools: u8,
    /// What each variable is at the beginning, how much each channel holds, and what is so at the end.
    pub(super) variables: Vec<i16>,
    pub(super) channels: Vec<u8>,
    pub(super) finally: Vec<(Variable, Is)>,
    pub(super) names: Names,
    /// The futures that something in the program can settle.
    pub(super) settled: Set,
    /// The futures of which a loop has a view, for each member.
    pub(super) views: Vec<Vec<Future>>,
    /// How many handles each future has at the beginning, and those that have weak ones.
    pub(super) handles: Vec<u8>,
    pub(super) weak: Set,
}

impl Shape {
    /// The operations of all scripts.
    pub(super) fn all(&self) -> impl Iterator<Item = Do> {
        let scripts = self.members.iter().map(|member| &member.script);
        scripts.chain(self.pieces.iter().map(|(_, script)| script)).flatten().copied()
    }

    /// Whether the program says what is to be so.
    pub(super) fn asserts(&self) -> bool {
        !self.finally.is_empty() || self.all().any(|it| matches!(it, Do::Assert(..)))
    }

    /// Counts what the scripts mention.
    pub(super) fn count(&mut self) {
        let all: Vec<Do> = self.all().collect();
        let mut futures = Vec::new();
        for it in &all {
            futures.extend(it.promise().or(it.views()));
            futures.extend(it.waits_for().iter().flat_map(Futures::iter));
            match *it {
                Do::Cancel(it)
                | Do::Done(it)
                | Do::Read(it)
                | Do::Add(it, _)
                | Do::Drop(it)
                | Do::Upgrade(it)
                | Do::AwaitOf(_, it) => {
                    futures.push(it);
                }
                Do::Lock(lock) | Do::Unlock(lock) => {
                    self.locks = self.locks.max(lock.saturating_add(1));
                }
                _ => {}
            }
        }
        futures.extend(self.pieces.iter().filter_map(|(kind, _)| match *kind {
            Kind::Job(it, _) | Kind::Task(it, _) => Some(it),
            Kind::Call => None,
        }));
        self.futures = futures.iter().max().map_or(0, |last| last.saturating_add(1));
        let promised = all.iter().filter_map(|it| it.promise());
        let ended = self.pieces.iter().filter_map(|(kind, _)| match *kind {
            Kind::Job(it, _) | Kind::Task(it, _) => Some(it),
            Kind::Call => None,
        });
        let mut settled = Set::default();
        // A program with more of them is never stepped.
        promised.chain(ended).filter(|it| *it < 8).for_each(|it| settled.add(it));
        self.settled = settled;
        let mut viewed: Vec<Future> = all.iter().filter_map(|it| it.views()).collect();
        viewed.extend(all.iter().filter_map(|it| match *it {
            Do::AwaitOf(_, it) => Some(it),
            _ => None,
        }));
        viewed.sort_unstable();
        viewed.dedup();
        let of = |member: &Member| match member.role {
            Role::Loop => viewed.clone(),
            Role::Thread | Role::Worker(_) => Vec::new(),
        };
        self.views = self.members.iter().map(of).collect();
        let mut weak = Set::default();
        for it in &all {
            if let Do::Upgrade(it) = it
                && *it < 8
            {
                weak.add(*it);
            }
        }
        self.weak = weak;
        self.handles = (0..self.futures).map(|it| self.handles_of(it)).collect();
    }

    /// One for each script that drops it, and one that nobody does if somebody else has any.
    fn handles_of(&self, it: Future) -> u8 {
        let scripts = self.members.iter().map(|member| &member.script);
        let scripts = scripts.chain(self.pieces.iter().map(|(_, script)| script));
        let uses = |what: &Do| what.handles().iter().any(|of| of == it);
        let (mut drops, mut keeps) = (0, self.views.iter().flatten().any(|of| *of == it));
        for script in scripts {
            if script.contains(&Do::Drop(it)) {
                drops += 1;
            } else {
                keeps |= script.iter().any(uses);
            }
        }
        drops + u8::from(keeps || drops == 0)
    }

    /// The pieces that settle `future` when they end.
    pub(super) fn piece_of(&self, future: Future) -> Option<Piece> {
        let settles = |(kind, _): &(Kind, _)| matches!(*kind, Kind::Job(it, _) | Kind::Task(it, _) if it == future);
        self.pieces.iter().position(settles).map(|at| at as Piece)
    }

    pub(super) fn is_task(&self, future: Future) -> bool {
        self.piece_of(future)
            .is_some_and(|it| matches!(self.pieces[usize::from(it)].0, Kind::Task(..)))
    }

    pub(super) fn is_loop(&self, agent: Agent) -> bool {
        self.members[usize::from(agent)].role == Role::Loop
    }
}
