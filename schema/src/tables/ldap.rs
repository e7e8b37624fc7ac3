//! Tables of ldap records.

use crate::table;

table! {
    /// One row per LDAP or CLDAP message, in clear or within a SASL layer that only signs; of one that encrypts there is a row per buffer.
    pub struct Ldap("ldap", "message", Network) {
        /// Message id.
        message_id: u32 = "ldap.messageID",
        /// Application tag: 0 bind, 1 bind response, 2 unbind, 3 search, 4 entry, 5 done, 6 modify, 8 add, 10 delete, 12 modify DN, 14 compare, 16 abandon, 19 reference, 23 extended, 24 extended response, 25 intermediate.
        op: u8 = "ldap.protocolOp",
        /// `bind_request`, `bind_response`, `unbind`, `search_request`, `search_entry`, `search_done`, `search_reference`, `modify_request`, ...
        opcode: word,
        /// Responses: frame of the request with this id on this connection.
        request_frame: u64 = "ldap.response_to",
        /// Responses: time since the request.
        response_time_ms: f64 = "ldap.time",
        /// Bind: protocol version.
        version: u8 = "ldap.version",
        /// Bind: `simple`, `anonymous` (empty password and name), `unauthenticated` (name but empty password), `sasl`, `sicily_negotiate`, `sicily_response`.
        bind_method: word,
        /// Bind: DN, UPN or DOMAIN\user given; for NTLM the account of its authenticate message.
        @bloom bind_name: word = "ldap.name",
        /// Simple bind password.
        @secret password: text = "ldap.simple",
        /// SASL mechanism: `GSS-SPNEGO`, `GSSAPI`, `PLAIN`, `DIGEST-MD5`.
        sasl_mechanism: word = "ldap.mechanism",
        /// Result code.
        result_code: u16 = "ldap.resultCode",
        /// Its name: `success`, `invalidCredentials`, `saslBindInProgress`, `insufficientAccessRights`, `noSuchObject`, `referral`.
        result: word,
        /// Diagnostic text.
        diagnostic_message: word = "ldap.errorMessage",
        /// Active Directory sub-code of the diagnostic text (`data 52e`): `52e` bad password, `525` no such user, `530` hour, `531` workstation, `532` expired, `533` disabled, `701` account expired, `773` must change, `775` locked.
        ad_error: word,
        /// Matched DN.
        matched_dn: text = "ldap.matchedDN",
        /// Search base; null for the root of the directory, which has an empty name.
        base_object: word = "ldap.baseObject",
        /// Search scope number.
        scope: u8 = "ldap.scope",
        /// `base`, `one`, `sub`.
        scope_name: word,
        /// Alias handling.
        deref_aliases: u8 = "ldap.derefAliases",
        /// Size limit asked.
        size_limit: u32 = "ldap.sizeLimit",
        /// Attribute names only.
        types_only: bool = "ldap.typesOnly",
        /// Search filter in RFC 4515 text, escaped as that RFC asks.
        @bloom filter: word,
        /// Attributes asked for, or carried by an entry, add, modify.
        attributes: list_text = "ldap.AttributeDescription|ldap.type",
        /// DN acted on: entry returned, added, modified, deleted, compared, renamed.
        @bloom object: text = "ldap.objectName|ldap.entry|ldap.object",
        /// Modify DN: new RDN.
        new_rdn: text = "ldap.newrdn",
        /// On search_done: entries returned for that search.
        entry_count: u32,
        /// Extended request or response name.
        extended_oid: word = "ldap.requestName|ldap.responseName",
        /// Its name: `StartTLS`, `WhoAmI`, `PasswordModify`, `FastBind`, `Cancel`.
        extended_name: word,
        /// Controls, as object identifiers.
        control_oids: list_text = "ldap.controlType",
        /// Referral or reference URLs.
        referrals: list_text = "ldap.LDAPURL",
        /// Carried by UDP.
        cldap: bool,
        /// The message sits in an encrypted SASL buffer; only lengths are known.
        sealed: bool,
        /// `tcp`, `udp`.
        transport: word,
    }
}

table! {
    /// One row per attribute of an entry returned, added or modified, values as text where they are text.
    pub struct LdapAttributes("ldap_attributes", "attribute", Network) {
        /// Message id.
        message_id: u32 = "ldap.messageID",
        /// `search_entry`, `add_request`, `modify_request`.
        opcode: word,
        /// DN of the entry; null for the root of the directory, which has an empty name.
        @bloom object: text = "ldap.objectName|ldap.entry|ldap.object",
        /// Modify: `add`, `delete`, `replace`, `increment`.
        operation: word,
        /// Attribute name as sent.
        attribute: word = "ldap.type",
        /// Values; SIDs, GUIDs and FILETIMEs in their usual text, other binary as hex. Null when the attribute is a credential (see `secret_values`).
        values: list_text,
        /// Values of credential attributes: unicodePwd, userPassword, ms-Mcs-AdmPwd, msLAPS-Password, msDS-ManagedPassword, unixUserPassword.
        @secret secret_values: list_text,
    }
}
