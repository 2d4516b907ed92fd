//! The monkey: does to the machines what machines do in bad years, by a schedule that the seed has thrown.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use super::app::{App, Setup};
use super::cluster::Cluster;
use super::deliver::Deliverer;
use super::dice::Dice;
use super::proxy::{Proxy, Target};
use super::twin::Knows;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Move {
    KillOne,
    KillBoth,
    Terminate,
    Freeze,
    RestartDatabase,
    FailOver,
    EndBackends,
    BreakLines,
    Outage,
    RotateSecret,
}

/// How often each of them.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    pub kills: usize,
    pub restarts: usize,
    pub failovers: usize,
    /// Each of the other moves.
    pub others: usize,
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KillOne => "kill one app",
            Self::KillBoth => "kill both apps",
            Self::Terminate => "SIGTERM under load",
            Self::Freeze => "freeze an app",
            Self::RestartDatabase => "restart the database, immediate",
            Self::FailOver => "kill the primary, promote the standby",
            Self::EndBackends => "end all database connections",
            Self::BreakLines => "break a fifth of the connections",
            Self::Outage => "provider outage",
            Self::RotateSecret => "rotate the webhook secret",
        })
    }
}

pub fn schedule(counts: Counts, dice: &mut Dice) -> Vec<Move> {
    let mut moves = Vec::new();
    for number in 0..counts.kills {
        moves.push(if number % 5 == 4 { Move::KillBoth } else { Move::KillOne });
    }
    moves.extend(vec![Move::RestartDatabase; counts.restarts]);
    moves.extend(vec![Move::FailOver; counts.failovers]);
    for other in [Move::Terminate, Move::Freeze, Move::EndBackends, Move::BreakLines] {
        moves.extend(vec![other; counts.others]);
    }
    for other in [Move::Outage, Move::RotateSecret] {
        moves.extend(vec![other; counts.others.div_ceil(3)]);
    }
    dice.shuffle(&mut moves);
    moves
}

/// All that the monkey has its hands on.
pub struct Monkey {
    pub setup: Setup,
    pub apps: Vec<App>,
    pub cluster: Cluster,
    pub front: Proxy,
    pub database: Proxy,
    pub provider: Arc<Knows>,
    pub deliverer: Arc<Deliverer>,
    pub dice: Dice,
    /// The standby hears nothing for so long before its primary dies. In a sound set-up nothing is lost by it.
    pub deaf_for: Option<Duration>,
    pub freeze_ms: (u64, u64),
    pub outage: Duration,
    /// What should not have happened.
    pub findings: Vec<String>,
}

impl Monkey {
    pub async fn make(&mut self, what: Move) -> Result<()> {
        self.look_after_apps().await?;
        match what {
            Move::KillOne => {
                let app = self.dice.index(self.apps.len());
                self.apps[app].kill().await?;
                self.lead_front();
                tokio::time::sleep(self.dice.milliseconds(0, 800)).await;
                self.start(app).await
            }
            Move::KillBoth => {
                for app in &mut self.apps {
                    app.kill().await?;
                }
                self.lead_front();
                for app in 0..self.apps.len() {
                    self.start(app).await?;
                }
                Ok(())
            }
            Move::Terminate => {
                let app = self.dice.index(self.apps.len());
                self.stop(app).await
            }
            Move::Freeze => {
                let app = self.dice.index(self.apps.len());
                self.apps[app].signal(Signal::STOP);
                tokio::time::sleep(self.dice.milliseconds(self.freeze_ms.0, self.freeze_ms.1)).await;
                self.apps[app].signal(Signal::CONT);
                Ok(())
            }
            Move::RestartDatabase => self.cluster.restart_immediately().await,
            Move::FailOver => self.fail_over().await,
            Move::EndBackends => self.cluster.terminate_all().await.map(drop),
            Move::BreakLines => {
                self.front.break_lines(20, &mut self.dice);
                Ok(())
            }
            Move::Outage => {
                self.provider.outage(true);
                tokio::time::sleep(self.outage).await;
                self.provider.outage(false);
                Ok(())
            }
            Move::RotateSecret => self.rotate_secret().await,
        }
        .with_context(|| format!("{what}"))
    }

    /// Starts it and has the proxy know. While the database is away this takes as long as that.
    pub async fn start(&mut self, app: usize) -> Result<()> {
        self.apps[app].start(&self.setup).await?;
        self.lead_front();
        Ok(())
    }

    fn lead_front(&self) {
        self.front.lead_to(self.apps.iter().filter_map(App::address).map(Target::Tcp).collect());
    }

    pub fn lead_database(&self) {
        self.database.lead_to(vec![Target::Unix(self.cluster.primary_socket())]);
    }

    async fn stop(&mut self, app: usize) -> Result<()> {
        if let Err(error) = self.apps[app].stop().await {
            self.findings.push(format!("I14 an app asked to end: {error:#}"));
        }
        self.lead_front();
        self.start(app).await
    }

    async fn fail_over(&mut self) -> Result<()> {
        self.cluster.wait_until_in_step().await?;
        if let Some(deaf_for) = self.deaf_for {
            self.cluster.deafen_standby().await?;
            tokio::time::sleep(deaf_for).await;
        }
        self.cluster.fail_over().await?;
        self.lead_database();
        self.database.cut_all();
        self.cluster.heal().await
    }

    /// As an operator would: the new one beside the old one, one app after the other, and only then at the provider.
    async fn rotate_secret(&mut self) -> Result<()> {
        let new = format!("ws_{:016x}{:016x}", self.dice.next(), self.dice.next());
        let old = std::mem::replace(&mut self.setup.secret, new.clone());
        self.setup.secret_before = Some(old);
        for app in 0..self.apps.len() {
            self.stop(app).await?;
        }
        self.deliverer.sign_with(&new);
        Ok(())
    }

    /// An app that ended although nobody asked it to is a finding, and is started again.
    pub async fn look_after_apps(&mut self) -> Result<()> {
        for app in 0..self.apps.len() {
            if let Some(status) = self.apps[app].ended() {
                self.findings
                    .push(format!("I14 an app ended by itself: {status}; see {}", self.apps[app].log().display()));
                self.start(app).await?;
            }
        }
        Ok(())
    }
}

/// Makes all moves, a pause between each two. What was done, with the second at which it began.
pub async fn rage(monkey: &mut Monkey, moves: &[Move], gap: Duration, began: Instant) -> Result<()> {
    for what in moves {
        let pause = u64::try_from(gap.as_millis()).unwrap_or(3_000);
        tokio::time::sleep(monkey.dice.milliseconds(pause / 2, pause * 3 / 2)).await;
        let at = Instant::now();
        monkey.make(*what).await?;
        println!("  {:>4} s  {what}, {} ms", at.duration_since(began).as_secs(), at.elapsed().as_millis());
    }
    Ok(())
}
