//! An axum handler over a rayon pool, whose work stops when the client goes.

use std::sync::Arc;

use anyhow::{Error, Result};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use settled::Executor;

/// What makes an answer of a question. It looks now and then whether it is to stop.
pub type Work = Arc<dyn Fn(String, &dyn Fn() -> bool) -> Result<String> + Send + Sync>;

pub fn app(pool: Arc<rayon::ThreadPool>, work: Work) -> Router {
    Router::new().route("/", post(answer)).with_state((pool, work))
}

async fn answer(
    State((pool, work)): State<(Arc<rayon::ThreadPool>, Work)>,
    question: String,
) -> Result<String, Failed> {
    let job = pool.submit_with(move |promise| work(question, &|| promise.is_closed()))?;
    Ok(job.output_result().await??)
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
