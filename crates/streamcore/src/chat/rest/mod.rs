//! What is asked of a room's chat by HTTP: by the host's own backend, by bots, by whoever needs no socket. Who asks is a
//! member, by a token; what is asked goes through the room like what comes over sockets.

mod member;
mod messages;
mod moderation;
mod products;

use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};

use crate::http::App;
use crate::http::api::{link, refusals};
pub(crate) use member::Member;

/// The statuses with which reading may be refused.
const READING: &[u16] = &[400, 401, 403, 404, 429, 503];
/// The statuses with which anything else may be refused.
const DOING: &[u16] = &[400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503];

/// All of it.
pub(crate) fn routes() -> ApiRouter<Arc<App>> {
    ApiRouter::new()
        .api_route(
            "/api/rooms/{room}/chat",
            get_with(messages::chat, |op| {
                refusals(
                    op.id("chat")
                        .summary("The chat as the caller may see it")
                        .tag("chat"),
                    READING,
                )
            }),
        )
        .api_route(
            "/api/rooms/{room}/messages",
            get_with(messages::list, |op| {
                let op = op
                    .id("messages")
                    .summary("Messages, page by page, or with words in them");
                refusals(op.tag("chat"), READING)
            })
            .post_with(messages::say, |op| {
                let op = refusals(op.id("say").summary("Says something").tag("chat"), DOING);
                let seq = ("seq", "$response.body#/seq");
                link(link(op, 201, "message", seq), 201, "deleteMessage", seq)
            }),
        )
        .api_route(
            "/api/rooms/{room}/messages/{seq}",
            get_with(messages::one, |op| {
                refusals(op.id("message").summary("One message").tag("chat"), READING)
            })
            .delete_with(messages::delete, |op| {
                let op = op
                    .id("deleteMessage")
                    .summary("Deletes a message, as a moderator");
                refusals(op.tag("moderation"), DOING)
            }),
        )
        .api_route(
            "/api/rooms/{room}/acts",
            post_with(moderation::act, |op| {
                let op = op.id("act").summary("What host and moderators do");
                refusals(op.tag("moderation"), DOING)
            }),
        )
        .api_route(
            "/api/rooms/{room}/log",
            get_with(moderation::log, |op| {
                let op = op.id("log").summary("What host and moderators did, newest first");
                refusals(op.tag("moderation"), READING)
            }),
        )
        .api_route(
            "/api/rooms/{room}/products",
            get_with(products::list, |op| {
                refusals(
                    op.id("products").summary("What the host sells").tag("products"),
                    READING,
                )
            }),
        )
        .api_route(
            "/api/rooms/{room}/figures",
            get_with(products::figures, |op| {
                let op = op
                    .id("figures")
                    .summary("What viewers did with products, minute by minute");
                refusals(op.tag("products"), READING)
            }),
        )
}
