//! Programs that can be played on the real crate.

use settled::model::{Agent, Do, Future, Kind, Program, Role, Script};

/// A program, and what of it the driver and those who play must know.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    pub(crate) program: Program,
    members: Vec<(Role, Vec<Do>)>,
    pieces: Vec<(Kind, Vec<Do>)>,
    /// How many workers each pool has.
    pub(crate) workers: Vec<usize>,
}

impl Play {
    /// `None` if the program does what this crate's types do not let anybody do, or what real threads cannot be
    /// made to do one step after the other.
    pub(crate) fn new(program: &Program) -> Option<Self> {
        let members: Vec<_> =
            program.members().map(|(role, script)| (role, script.to_vec())).collect();
        let pieces: Vec<_> =
            program.pieces().map(|(kind, script)| (kind, script.to_vec())).collect();
        let mut workers = Vec::new();
        for (role, _) in &members {
            if let Role::Worker(pool) = role {
                workers.resize(workers.len().max(usize::from(*pool) + 1), 0);
                workers[usize::from(*pool)] += 1;
            }
        }
        let play = Self { program: program.clone(), members, pieces, workers };
        play.is_playable().then_some(play)
    }

    fn is_playable(&self) -> bool {
        // A promise has one holder, and only one that is running can say that its work panicked.
        let held = |it: Future| {
            let holds = |script: &&Vec<Do>| script.iter().any(|what| what.promise() == Some(it));
            self.scripts().filter(holds).count() < 2
        };
        let panics = |script: &Vec<Do>| {
            let mut before = script.iter().take_while(|what| !matches!(what, Do::Panic(_)));
            !script.iter().any(|what| matches!(what, Do::Panic(_)))
                || before.any(|what| matches!(what, Do::Start(_)))
        };
        // A loop that runs cannot be closed, nor the view of another loop be had.
        let mut home = self.pieces.iter().filter_map(|(kind, script)| match kind {
            Kind::Task(_, home) => Some((*home, script)),
            _ => None,
        });
        (0..self.program.futures()).all(held)
            && self.scripts().all(panics)
            && !self.scripts().flatten().any(|what| matches!(what, Do::Close | Do::Interrupt(_)))
            && home.all(|(home, script)| {
                !script.iter().any(|what| matches!(what, Do::AwaitOf(of, _) if *of != home))
            })
    }

    fn scripts(&self) -> impl Iterator<Item = &Vec<Do>> {
        self.members.iter().map(|it| &it.1).chain(self.pieces.iter().map(|it| &it.1))
    }

    /// The operations of a script.
    pub(crate) fn script(&self, agent: Agent, script: Script) -> &[Do] {
        match script {
            Script::Own => &self.members[usize::from(agent)].1,
            Script::Piece(piece) => &self.pieces[usize::from(piece)].1,
            _ => &[],
        }
    }

    pub(crate) fn agents(&self) -> Agent {
        self.members.len() as Agent
    }

    pub(crate) fn role(&self, agent: Agent) -> Role {
        self.members[usize::from(agent)].0
    }

    pub(crate) fn kind(&self, piece: u8) -> Kind {
        self.pieces[usize::from(piece)].0
    }

    pub(crate) fn has_script(&self, agent: Agent) -> bool {
        !self.members[usize::from(agent)].1.is_empty()
    }

    /// Whether each loop has a view of a future.
    pub(crate) fn is_viewed(&self, it: Future) -> bool {
        let views =
            |what: &Do| what.views() == Some(it) || matches!(what, Do::AwaitOf(_, of) if *of == it);
        self.scripts().flatten().any(views)
    }

    /// Whether the handles of a future are counted: somebody drops one.
    pub(crate) fn is_counted(&self, it: Future) -> bool {
        self.scripts().flatten().any(|what| *what == Do::Drop(it))
    }

    /// Whether a future is there from the beginning: it is nobody's outcome.
    pub(crate) fn is_base(&self, it: Future) -> bool {
        !self
            .pieces
            .iter()
            .any(|(kind, _)| matches!(kind, Kind::Job(of, _) | Kind::Task(of, _) if *of == it))
    }
}
