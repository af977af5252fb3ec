//! What can happen for ever: fair cycles in the graph of all steps.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::ENVIRONMENT;

/// A step, from the state that lists it.
pub(super) struct Edge<A> {
    pub(super) to: usize,
    pub(super) by: usize,
    pub(super) action: A,
}

/// All steps of a model, and whose turns count.
pub(super) struct Graph<'a, A> {
    edges: Vec<Vec<Edge<A>>>,
    classes: BTreeSet<usize>,
    strong: &'a [usize],
}

/// No region: a state that a cycle must avoid.
const NOWHERE: usize = usize::MAX;

impl<'a, A: Clone> Graph<'a, A> {
    pub(super) fn new(edges: Vec<Vec<Edge<A>>>, strong: &'a [usize]) -> Self {
        let by = edges.iter().flatten().map(|edge| edge.by);
        let classes = by.filter(|&by| by != ENVIRONMENT).collect();
        Self { edges, classes, strong }
    }

    fn enabled(&self, at: usize, class: usize) -> bool {
        self.edges[at].iter().any(|edge| edge.by == class)
    }

    /// The first state of a fair cycle through none but the states in `left`, and its actions.
    pub(super) fn fair_cycle(&self, mut left: Vec<usize>) -> Option<(usize, Vec<A>)> {
        let mut region = vec![NOWHERE; self.edges.len()];
        left.iter().for_each(|&at| region[at] = 0);
        while !left.is_empty() {
            let components = self.components(&region, &left);
            left.drain(..).for_each(|at| region[at] = NOWHERE);
            for (id, component) in components.into_iter().enumerate() {
                let inside = component.into_iter().collect();
                match self.judge(&inside) {
                    Ok(taken) => return Some(self.lasso(&inside, &taken)),
                    Err(rest) => {
                        rest.iter().for_each(|&at| region[at] = id);
                        left.extend(rest);
                    }
                }
            }
        }
        None
    }

    /// The classes whose steps are taken in the strongly connected `inside`, if going round there for
    /// ever is fair; otherwise the states of it that may still hold a fair cycle.
    ///
    /// If a strong class is enabled there and never taken, a fair cycle avoids the states where it
    /// is. If a weak class is enabled in every state and never taken, there is no fair cycle.
    fn judge(&self, inside: &BTreeSet<usize>) -> Result<BTreeSet<usize>, Vec<usize>> {
        let steps = inside.iter().flat_map(|&at| &self.edges[at]);
        let taken: BTreeSet<usize> =
            steps.filter(|edge| inside.contains(&edge.to)).map(|edge| edge.by).collect();
        if taken.is_empty() {
            return Err(Vec::new());
        }
        let missed = |at: usize, class: &usize| !taken.contains(class) && self.enabled(at, *class);
        let avoid = |at: &usize| self.strong.iter().any(|class| missed(*at, class));
        if inside.iter().any(avoid) {
            return Err(inside.iter().copied().filter(|at| !avoid(at)).collect());
        }
        let starved = |class: &usize| inside.iter().all(|&at| missed(at, class));
        if self.classes.iter().any(starved) { Err(Vec::new()) } else { Ok(taken) }
    }

    /// The strongly connected components (Tarjan) of the states in `left`, along the steps that stay
    /// in a region.
    fn components(&self, region: &[usize], left: &[usize]) -> Vec<Vec<usize>> {
        const NEW: usize = usize::MAX;
        const DONE: usize = usize::MAX - 1;
        // When a state was entered, and the earliest one still open that it leads to.
        let (mut order, mut low) = (vec![NEW; region.len()], vec![NEW; region.len()]);
        let (mut open, mut calls, mut components) = (Vec::new(), Vec::new(), Vec::new());
        let mut entered = 0;
        for &root in left {
            if order[root] == NEW {
                calls.push((root, 0));
            }
            while let Some((at, next)) = calls.pop() {
                if next == 0 {
                    (order[at], low[at]) = (entered, entered);
                    entered += 1;
                    open.push(at);
                }
                if let Some(edge) = self.edges[at].get(next) {
                    calls.push((at, next + 1));
                    if region[edge.to] != region[at] || order[edge.to] == DONE {
                        continue;
                    } else if order[edge.to] == NEW {
                        calls.push((edge.to, 0));
                    } else {
                        low[at] = low[at].min(order[edge.to]);
                    }
                    continue;
                }
                if let Some(&(parent, _)) = calls.last() {
                    low[parent] = low[parent].min(low[at]);
                }
                if low[at] == order[at] {
                    let first = open.iter().rposition(|&other| other == at).unwrap_or(0);
                    let component = open.split_off(first);
                    component.iter().for_each(|&at| order[at] = DONE);
                    components.push(component);
                }
            }
        }
        components
    }

    /// A cycle in `inside` that starts where it is soonest reached, takes a step of every class in
    /// `taken` and passes, for every other class, a state where that has no step to take.
    fn lasso(&self, inside: &BTreeSet<usize>, taken: &BTreeSet<usize>) -> (usize, Vec<A>) {
        let start = *inside.first().expect("a component is not empty");
        let mut cycle: Vec<&Edge<A>> = Vec::new();
        for &class in &self.classes {
            let take = taken.contains(&class);
            let meets = |edge: &Edge<A>| {
                if take { edge.by == class } else { !self.enabled(edge.to, class) }
            };
            if !cycle.iter().any(|edge| meets(edge)) {
                let at = cycle.last().map_or(start, |edge| edge.to);
                cycle.extend(self.walk(inside, at, meets));
            }
        }
        if cycle.last().is_none_or(|edge| edge.to != start) {
            let at = cycle.last().map_or(start, |edge| edge.to);
            cycle.extend(self.walk(inside, at, |edge| edge.to == start));
        }
        (start, cycle.into_iter().map(|edge| edge.action.clone()).collect())
    }

    /// A shortest walk in `inside` from `start` whose last step is `wanted`.
    fn walk(
        &self,
        inside: &BTreeSet<usize>,
        start: usize,
        wanted: impl Fn(&Edge<A>) -> bool,
    ) -> Vec<&Edge<A>> {
        let mut parents: HashMap<usize, (usize, &Edge<A>)> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for edge in self.edges[at].iter().filter(|edge| inside.contains(&edge.to)) {
                if wanted(edge) {
                    let mut walk = vec![edge];
                    let mut at = at;
                    while at != start {
                        let (parent, edge) = parents[&at];
                        walk.push(edge);
                        at = parent;
                    }
                    walk.reverse();
                    return walk;
                }
                if edge.to != start && !parents.contains_key(&edge.to) {
                    parents.insert(edge.to, (at, edge));
                    queue.push_back(edge.to);
                }
            }
        }
        unreachable!("in a component, every step can be reached from every state")
    }
}
