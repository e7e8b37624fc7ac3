//! Names of services and status codes (OPC UA Part 6, annex A), and what tells security policies and tokens apart.

/// Services: name, and numbers of the binary encodings of request and response.
const SERVICES: [(&str, u32, u32); 39] = [
    ("FindServers", 422, 425),
    ("GetEndpoints", 428, 431),
    ("RegisterServer", 437, 440),
    ("OpenSecureChannel", 446, 449),
    ("CloseSecureChannel", 452, 455),
    ("CreateSession", 461, 464),
    ("ActivateSession", 467, 470),
    ("CloseSession", 473, 476),
    ("Cancel", 479, 482),
    ("AddNodes", 488, 491),
    ("AddReferences", 494, 497),
    ("DeleteNodes", 500, 503),
    ("DeleteReferences", 506, 509),
    ("Browse", 527, 530),
    ("BrowseNext", 533, 536),
    ("TranslateBrowsePathsToNodeIds", 554, 557),
    ("RegisterNodes", 560, 563),
    ("UnregisterNodes", 566, 569),
    ("QueryFirst", 615, 618),
    ("QueryNext", 621, 624),
    ("Read", 631, 634),
    ("HistoryRead", 664, 667),
    ("Write", 673, 676),
    ("HistoryUpdate", 700, 703),
    ("Call", 712, 715),
    ("CreateMonitoredItems", 751, 754),
    ("ModifyMonitoredItems", 763, 766),
    ("SetMonitoringMode", 769, 772),
    ("SetTriggering", 775, 778),
    ("DeleteMonitoredItems", 781, 784),
    ("CreateSubscription", 787, 790),
    ("ModifySubscription", 793, 796),
    ("SetPublishingMode", 799, 802),
    ("Publish", 826, 829),
    ("Republish", 832, 835),
    ("TransferSubscriptions", 841, 844),
    ("DeleteSubscriptions", 847, 850),
    ("FindServersOnNetwork", 12208, 12209),
    ("RegisterServer2", 12211, 12212),
];

/// Encoding of a fault, which answers any service.
pub const SERVICE_FAULT: u32 = 397;
/// Encodings of identity tokens.
pub const ANONYMOUS: u32 = 321;
pub const USER_NAME: u32 = 324;
pub const X509: u32 = 327;
pub const ISSUED: u32 = 940;
/// Encoding of a notification of changed data.
pub const DATA_CHANGE: u32 = 811;

/// Name of the service with this encoding, and whether it is the request.
pub fn service(encoding: u32) -> Option<(&'static str, bool)> {
    if encoding == SERVICE_FAULT {
        return Some(("ServiceFault", false));
    }
    let (name, request, _) = SERVICES.iter().find(|(_, request, response)| encoding == *request || encoding == *response)?;
    Some((name, encoding == *request))
}

/// Name of a status code; its lower half holds flags (Part 4, section 7.39).
pub fn status(code: u32) -> Option<&'static str> {
    Some(match code & 0xffff_0000 {
        0x0000_0000 => "Good",
        0x8001_0000 => "BadUnexpectedError",
        0x8002_0000 => "BadInternalError",
        0x8003_0000 => "BadOutOfMemory",
        0x8004_0000 => "BadResourceUnavailable",
        0x8005_0000 => "BadCommunicationError",
        0x8006_0000 => "BadEncodingError",
        0x8007_0000 => "BadDecodingError",
        0x8008_0000 => "BadEncodingLimitsExceeded",
        0x8009_0000 => "BadUnknownResponse",
        0x800a_0000 => "BadTimeout",
        0x800b_0000 => "BadServiceUnsupported",
        0x800c_0000 => "BadShutdown",
        0x800d_0000 => "BadServerNotConnected",
        0x800e_0000 => "BadServerHalted",
        0x800f_0000 => "BadNothingToDo",
        0x8010_0000 => "BadTooManyOperations",
        0x8012_0000 => "BadCertificateInvalid",
        0x8013_0000 => "BadSecurityChecksFailed",
        0x8014_0000 => "BadCertificateTimeInvalid",
        0x8015_0000 => "BadCertificateIssuerTimeInvalid",
        0x8016_0000 => "BadCertificateHostNameInvalid",
        0x8017_0000 => "BadCertificateUriInvalid",
        0x8018_0000 => "BadCertificateUseNotAllowed",
        0x8019_0000 => "BadCertificateIssuerUseNotAllowed",
        0x801a_0000 => "BadCertificateUntrusted",
        0x801b_0000 => "BadCertificateRevocationUnknown",
        0x801c_0000 => "BadCertificateIssuerRevocationUnknown",
        0x801d_0000 => "BadCertificateRevoked",
        0x801e_0000 => "BadCertificateIssuerRevoked",
        0x801f_0000 => "BadUserAccessDenied",
        0x8020_0000 => "BadIdentityTokenInvalid",
        0x8021_0000 => "BadIdentityTokenRejected",
        0x8022_0000 => "BadSecureChannelIdInvalid",
        0x8023_0000 => "BadInvalidTimestamp",
        0x8024_0000 => "BadNonceInvalid",
        0x8025_0000 => "BadSessionIdInvalid",
        0x8026_0000 => "BadSessionClosed",
        0x8027_0000 => "BadSessionNotActivated",
        0x8028_0000 => "BadSubscriptionIdInvalid",
        0x802a_0000 => "BadRequestHeaderInvalid",
        0x802b_0000 => "BadTimestampsToReturnInvalid",
        0x802c_0000 => "BadRequestCancelledByClient",
        0x8031_0000 => "BadNoCommunication",
        0x8032_0000 => "BadWaitingForInitialData",
        0x8033_0000 => "BadNodeIdInvalid",
        0x8034_0000 => "BadNodeIdUnknown",
        0x8035_0000 => "BadAttributeIdInvalid",
        0x8036_0000 => "BadIndexRangeInvalid",
        0x8037_0000 => "BadIndexRangeNoData",
        0x8038_0000 => "BadDataEncodingInvalid",
        0x8039_0000 => "BadDataEncodingUnsupported",
        0x803a_0000 => "BadNotReadable",
        0x803b_0000 => "BadNotWritable",
        0x803c_0000 => "BadOutOfRange",
        0x803d_0000 => "BadNotSupported",
        0x803e_0000 => "BadNotFound",
        0x803f_0000 => "BadObjectDeleted",
        0x8040_0000 => "BadNotImplemented",
        0x8041_0000 => "BadMonitoringModeInvalid",
        0x8042_0000 => "BadMonitoredItemIdInvalid",
        0x8043_0000 => "BadMonitoredItemFilterInvalid",
        0x8044_0000 => "BadMonitoredItemFilterUnsupported",
        0x804a_0000 => "BadContinuationPointInvalid",
        0x804b_0000 => "BadNoContinuationPoints",
        0x804c_0000 => "BadReferenceTypeIdInvalid",
        0x804d_0000 => "BadBrowseDirectionInvalid",
        0x804e_0000 => "BadNodeNotInView",
        0x8054_0000 => "BadSecurityModeRejected",
        0x8055_0000 => "BadSecurityPolicyRejected",
        0x8056_0000 => "BadTooManySessions",
        0x8057_0000 => "BadUserSignatureInvalid",
        0x8058_0000 => "BadApplicationSignatureInvalid",
        0x8059_0000 => "BadNoValidCertificates",
        0x805a_0000 => "BadIdentityChangeNotSupported",
        0x806b_0000 => "BadViewIdUnknown",
        0x8073_0000 => "BadWriteNotSupported",
        0x8074_0000 => "BadTypeMismatch",
        0x8075_0000 => "BadMethodInvalid",
        0x8076_0000 => "BadArgumentsMissing",
        0x8077_0000 => "BadTooManySubscriptions",
        0x8078_0000 => "BadTooManyPublishRequests",
        0x8079_0000 => "BadNoSubscription",
        0x807a_0000 => "BadSequenceNumberUnknown",
        0x807d_0000 => "BadTcpServerTooBusy",
        0x807e_0000 => "BadTcpMessageTypeInvalid",
        0x807f_0000 => "BadTcpSecureChannelUnknown",
        0x8080_0000 => "BadTcpMessageTooLarge",
        0x8081_0000 => "BadTcpNotEnoughResources",
        0x8082_0000 => "BadTcpInternalError",
        0x8083_0000 => "BadTcpEndpointUrlInvalid",
        0x8084_0000 => "BadRequestInterrupted",
        0x8085_0000 => "BadRequestTimeout",
        0x8086_0000 => "BadSecureChannelClosed",
        0x8087_0000 => "BadSecureChannelTokenUnknown",
        0x8088_0000 => "BadSequenceNumberInvalid",
        0x80ab_0000 => "BadInvalidArgument",
        0x80ac_0000 => "BadConnectionRejected",
        0x80ad_0000 => "BadDisconnect",
        0x80ae_0000 => "BadConnectionClosed",
        0x80af_0000 => "BadInvalidState",
        _ => return None,
    })
}

/// The status says that something failed (Part 4, section 7.39).
pub fn is_bad(code: u32) -> bool {
    code & 0x8000_0000 != 0
}

/// Name of a security mode (Part 4, section 7.20).
pub fn mode(code: u32) -> Option<&'static str> {
    Some(match code {
        1 => "none",
        2 => "sign",
        3 => "sign_and_encrypt",
        _ => return None,
    })
}

/// Name of a kind of user token (Part 4, section 7.42).
pub fn token(code: u32) -> &'static str {
    match code {
        0 => "anonymous",
        1 => "username",
        2 => "x509",
        3 => "issued_token",
        _ => "other",
    }
}

/// The name within a policy's URI.
pub fn policy(uri: &str) -> &str {
    uri.rsplit_once('#').map_or(uri, |(_, name)| name)
}
