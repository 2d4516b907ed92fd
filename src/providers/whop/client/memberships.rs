//! memberships
