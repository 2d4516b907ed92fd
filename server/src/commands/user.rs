//! `atlas user`: making accounts, giving roles.

use std::io::Read as _;

use anyhow::{Result, bail};
use atlas::Context;
use atlas::audit::{By, Origin, Who};
use atlas::people::password::NewPassword;
use atlas::people::register::{Email, register_as};
use atlas::people::roles::change::set_role;
use atlas::people::second_factor;
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::Role;
use rand::Rng as _;
use serde_json::json;

use super::OrSaid as _;
use super::print::{self, Format};

const MADE_PASSWORD_LENGTH: usize = 24;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an account. Its password is made up and shown once, or read from standard input.
    Create {
        email: String,
        #[arg(long, default_value = "buyer", value_name = "ROLE", value_parser = role())]
        role: Role,
        /// Read the password from standard input, up to the first line's end.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Remove somebody's second factor, who lost it and the recovery codes: first see to it that it is them. Ends their sessions.
    ResetSecondFactor {
        email: String,
        #[command(flatten)]
        format: Format,
    },
    /// Give an account a role. It applies from the next page on, and ends the account's sessions.
    Role {
        email: String,
        #[arg(value_parser = role())]
        role: Role,
        /// Why. It is written into the audit.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        format: Format,
    },
}

/// One of the four words, listed where another was typed.
pub fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.iter().map(|role| role.as_str())).try_map(|word| word.parse::<Role>())
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    match command {
        Command::Create { email, role, password_stdin, format } => {
            let made_up = (!password_stdin).then(made_up_password);
            let password = match &made_up {
                Some(password) => password.clone(),
                None => read_password()?,
            };
            let email = Email::parse("email", &email).map_err(atlas::Error::Invalid).or_said()?;
            let password = NewPassword::parse("password", &password).map_err(atlas::Error::Invalid).or_said()?;
            let by = By { who: Who::Operator("user create"), origin: &Origin::NONE };
            let person = register_as(ctx, &by, email, password, role).await.or_said()?;
            let shown = json!({ "id": person.id(), "email": person.email(), "role": role, "password": made_up });
            let password = made_up.map(|password| format!(" Password: {password}")).unwrap_or_default();
            print::one(format, &shown, &format!("{} is there, as {role}.{password}", person.email()))
        }
        Command::ResetSecondFactor { email, format } => {
            let by = By { who: Who::Operator("user reset-second-factor"), origin: &Origin::NONE };
            if !second_factor::reset(ctx, &by, &email).await.or_said()? {
                bail!("there is nobody with the email {email}");
            }
            print::one(format, &json!({ "email": email }), &format!("{email} signs in with the password alone now."))
        }
        Command::Role { email, role, why, format } => {
            let by = By { who: Who::Operator("user role"), origin: &Origin::NONE };
            if !set_role(ctx, &by, &email, role, &why).await.or_said()? {
                bail!("there is nobody with the email {email}");
            }
            print::one(format, &json!({ "email": email, "role": role }), &format!("{email} is {role} now."))
        }
    }
}

fn made_up_password() -> String {
    let mut random = rand::rng();
    // Without letters and digits that look alike.
    let letters = b"abcdefghjkmnpqrstuvwxyz23456789";
    (0..MADE_PASSWORD_LENGTH).map(|_| char::from(letters[random.random_range(0..letters.len())])).collect()
}

fn read_password() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().take(1_024).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
