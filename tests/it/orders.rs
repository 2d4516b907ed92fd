//! An order's life: checkout or request, settling, asking, expiring, and what its buyer sees.

mod answer;
mod ask;
mod bonus;
mod checkout;
mod currencies;
mod disputes;
mod expire;
mod export;
mod refund;
mod request;
mod route;
mod second_admin;
mod views;
