//! Asks a cluster's state service (GCS), as Ray's own processes do: gRPC with the cluster's token.
//!
//! The messages are the few fields of Ray's `gcs_service.proto` and `gcs.proto` that are needed here.

use std::time::Duration;

use hyper::http::uri::PathAndQuery;
use prost::Message;
use thiserror::Error;
use tonic::{
    Request,
    client::Grpc,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the state service gave no answer.
#[derive(Debug, Error)]
pub(super) enum GcsError {
    #[error("Ray's state service cannot be reached: {0}")]
    Unreachable(#[from] tonic::transport::Error),
    #[error("Ray's state service refused: {0}")]
    Refused(#[from] tonic::Status),
    #[error("Ray's state service cannot be asked: {0}")]
    Unfit(String),
}

#[derive(Clone, PartialEq, Message)]
struct GetClusterIdRequest {}

#[derive(Clone, PartialEq, Message)]
struct GetClusterIdReply {
    #[prost(bytes = "vec", tag = "2")]
    cluster_id: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct InternalKvPutRequest {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
    #[prost(bool, tag = "3")]
    overwrite: bool,
    #[prost(bytes = "vec", tag = "4")]
    namespace: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct InternalKvGetRequest {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    namespace: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct InternalKvGetReply {
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Ignored {}

#[derive(Clone, PartialEq, Message)]
struct NodeSelector {
    #[prost(bytes = "vec", tag = "1")]
    node_id: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct GetAllNodeInfoRequest {
    #[prost(message, repeated, tag = "2")]
    node_selectors: Vec<NodeSelector>,
}

#[derive(Clone, PartialEq, Message)]
struct GetAllNodeInfoReply {
    #[prost(message, repeated, tag = "2")]
    nodes: Vec<NodeInfo>,
}

#[derive(Clone, PartialEq, Message)]
struct NodeInfo {
    #[prost(bytes = "vec", tag = "1")]
    node_id: Vec<u8>,
    /// 0 is alive.
    #[prost(int32, tag = "7")]
    state: i32,
}

/// A connection to a cluster's state service.
#[derive(Debug, Clone)]
pub(super) struct Gcs {
    channel: Channel,
    bearer: MetadataValue<Ascii>,
    /// Lower-case hex; every call names it.
    cluster_id: String,
}

impl Gcs {
    /// Connects and learns the cluster's id.
    pub(super) async fn connect((host, port): &(String, u16), token: &str) -> Result<Self, GcsError> {
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let endpoint = Endpoint::from_shared(format!("http://{host}:{port}"))?.connect_timeout(CONNECT_TIMEOUT).timeout(CALL_TIMEOUT);
        let mut bearer: MetadataValue<Ascii> = format!("Bearer {token}").parse().map_err(|_| GcsError::Unfit("token".to_owned()))?;
        bearer.set_sensitive(true);
        let mut gcs = Self { channel: endpoint.connect().await?, bearer, cluster_id: String::new() };
        let reply: GetClusterIdReply = gcs.call("/ray.rpc.NodeInfoGcsService/GetClusterId", GetClusterIdRequest {}).await?;
        gcs.cluster_id = hex::encode(reply.cluster_id);
        Ok(gcs)
    }

    /// The cluster's id in lower-case hex.
    pub(super) fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Writes a value that Ray's processes look up.
    pub(super) async fn put(&self, namespace: &str, key: &str, value: String) -> Result<(), GcsError> {
        let request = InternalKvPutRequest { key: key.into(), value: value.into(), overwrite: true, namespace: namespace.into() };
        self.call::<_, Ignored>("/ray.rpc.InternalKVGcsService/InternalKVPut", request).await.map(|_| ())
    }

    /// Reads such a value; `None` if there is none yet.
    pub(super) async fn get(&self, namespace: &str, key: &str) -> Result<Option<String>, GcsError> {
        let request = InternalKvGetRequest { key: key.into(), namespace: namespace.into() };
        let reply: InternalKvGetReply = self.call("/ray.rpc.InternalKVGcsService/InternalKVGet", request).await?;
        Ok((!reply.value.is_empty()).then(|| String::from_utf8_lossy(&reply.value).into_owned()))
    }

    /// Whether the cluster counts this node among its living ones.
    pub(super) async fn is_alive(&self, node_id: &str) -> Result<bool, GcsError> {
        let node_id = hex::decode(node_id).map_err(|error| GcsError::Unfit(error.to_string()))?;
        let request = GetAllNodeInfoRequest { node_selectors: vec![NodeSelector { node_id: node_id.clone() }] };
        let reply: GetAllNodeInfoReply = self.call("/ray.rpc.NodeInfoGcsService/GetAllNodeInfo", request).await?;
        Ok(reply.nodes.iter().any(|node| node.node_id == node_id && node.state == 0))
    }

    async fn call<Q: Message + 'static, A: Message + Default + 'static>(&self, path: &'static str, message: Q) -> Result<A, GcsError> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await?;
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.bearer.clone());
        if let Some(cluster_id) = Some(&self.cluster_id).filter(|id| !id.is_empty()) {
            let cluster_id = cluster_id.parse().map_err(|_| GcsError::Unfit("cluster id".to_owned()))?;
            request.metadata_mut().insert("ray_cluster_id", cluster_id);
        }
        Ok(grpc.unary(request, PathAndQuery::from_static(path), ProstCodec::<Q, A>::default()).await?.into_inner())
    }
}
