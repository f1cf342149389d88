//! Opens a socket: the handshake with the platform, and what its client is told.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use tokio::time::timeout;

use crate::audit::Outcome;
use crate::proxy::body::Answering;
use crate::proxy::forward::{self, Sending};
use crate::proxy::metrics::InFlight;
use crate::proxy::outcome::PendingOutcome;
use crate::proxy::passage::{Passage, Peer};
use crate::proxy::respond::{self, Refusal};
use crate::proxy::service::Gateway;
use crate::proxy::upstream::UpstreamFault;
use crate::proxy::websocket::handshake::Asked;
use crate::proxy::websocket::relay::Opened;

/// A client that asks for a socket.
pub(crate) struct Asking {
    pub(crate) asked: Asked,
    pub(crate) client: OnUpgrade,
    /// Whose connection becomes the socket.
    pub(crate) peer: Arc<Peer>,
}

/// Shakes hands with the platform, and answers the client as it does: with a socket only if it agreed to one.
pub(crate) async fn open(
    gateway: &Gateway,
    mut passage: Passage,
    sending: Sending,
    asking: Asking,
    outcome: Option<PendingOutcome>,
    in_flight: InFlight,
) -> Response<Answering> {
    let request = forward::request_of(&mut passage, sending.query.as_deref(), sending.body);
    let Some(mut request) = request else {
        PendingOutcome::tell(outcome, Outcome::Failed);
        return respond::refuse(Refusal::Target, passage.asker(true, in_flight));
    };
    let Some(expected) = asking.asked.write(request.headers_mut()) else {
        let fault = UpstreamFault::Unreachable;
        return forward::failed(gateway, &passage, fault, outcome, in_flight);
    };
    let limit = gateway.limits.timeouts.answer;
    let began = Instant::now();
    let answered = timeout(limit, gateway.pool.open(request)).await;
    let mut response = match answered.unwrap_or(Err(UpstreamFault::Silent)) {
        Ok(response) => response,
        Err(fault) => return forward::failed(gateway, &passage, fault, outcome, in_flight),
    };
    let status = response.status();
    let index = passage.target.platform_index;
    gateway.metrics.answered(index, status.as_u16(), began.elapsed());
    if status != StatusCode::SWITCHING_PROTOCOLS {
        PendingOutcome::tell(outcome, Outcome::Answered(status.as_u16()));
        let idle = gateway.limits.timeouts.answer_idle;
        let answer = response.map(|body| Answering::platform(body, idle, in_flight));
        return forward::answer(answer);
    }
    let agreed = asking.asked.check(status, response.headers(), &expected);
    let platform = timeout(limit, hyper::upgrade::on(&mut response)).await;
    let (Some(agreed), Ok(Ok(platform))) = (agreed, platform) else {
        let fault = UpstreamFault::Broken;
        return forward::failed(gateway, &passage, fault, outcome, in_flight);
    };
    let mut answer = forward::answer(response.map(|_| Answering::whole(Bytes::new(), in_flight)));
    if asking.asked.answer(&agreed, answer.headers_mut()).is_none() {
        *answer.status_mut() = StatusCode::BAD_GATEWAY;
        return answer;
    }
    PendingOutcome::tell(outcome, Outcome::Answered(status.as_u16()));
    let is_deflated = agreed.is_deflated();
    asking.peer.put(Opened { client: asking.client, platform, of: passage, is_deflated });
    answer
}
