//! The same with tokio's oneshot channel.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use anyhow::{Error, Result, anyhow};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use tokio::sync::oneshot;

/// What makes an answer of a question. It looks now and then whether it is to stop.
pub type Work = Arc<dyn Fn(String, &dyn Fn() -> bool) -> Result<String> + Send + Sync>;

pub fn app(pool: Arc<rayon::ThreadPool>, work: Work) -> Router {
    Router::new().route("/", post(answer)).with_state((pool, work))
}

async fn answer(
    State((pool, work)): State<(Arc<rayon::ThreadPool>, Work)>,
    question: String,
) -> Result<String, Failed> {
    let (sender, receiver) = oneshot::channel();
    pool.spawn(move || {
        // A panic would end the process.
        let work = AssertUnwindSafe(|| work(question, &|| sender.is_closed()));
        let answer = catch_unwind(work).unwrap_or_else(|_| Err(anyhow!("the work panicked")));
        let _ = sender.send(answer);
    });
    Ok(receiver.await??)
}

struct Failed(Error);

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, format!("{:#}", self.0)).into_response()
    }
}
