//! Table of wlan records.

use crate::table;

table! {
    /// One row per 802.11 frame of type management, and per EAPOL key frame; data and control frames count in `packets`.
    pub struct Wlan("wlan", "frame", Link) {
        /// Type and subtype number.
        type_subtype: u8 = "wlan.fc.type_subtype",
        /// beacon, probe_request, probe_response, association_request, association_response, reassociation_request, reassociation_response, authentication, deauthentication, disassociation, action, atim, eapol_key.
        subtype: text,
        /// BSSID.
        bssid: text = "wlan.bssid",
        /// Address 2.
        transmitter: text = "wlan.ta",
        /// Address 1.
        receiver: text = "wlan.ra",
        /// Network name; null when hidden (zero length or all zero bytes).
        ssid: text = "wlan.ssid",
        /// Element present but empty or zeroed.
        ssid_hidden: bool,
        /// Channel of the DS or HT element, else of the radio header.
        channel: u8 = "wlan.ds.current_channel",
        /// Radio header.
        frequency_mhz: u16 = "wlan_radio.frequency",
        /// Radio header.
        signal_dbm: i32 = "wlan_radio.signal_dbm",
        /// Radio header.
        data_rate_mbps: f64 = "wlan_radio.data_rate",
        /// Retry bit.
        retry: bool = "wlan.fc.retry",
        /// Protected bit.
        protected: bool = "wlan.fc.protected",
        /// Sequence number.
        sequence: u16 = "wlan.seq",
        /// Beacon interval.
        beacon_interval_tu: u16 = "wlan.fixed.beacon",
        /// Capability bit.
        privacy: bool = "wlan.fixed.capabilities.privacy",
        /// open, owe, wep, wpa, wpa2, wpa3, wpa2_wpa3, enterprise variants with _eap.
        security: text,
        /// AKM suite types of the RSN element.
        akm_codes: list_u8 = "wlan.rsn.akms.type",
        /// Pairwise cipher types.
        pairwise_codes: list_u8 = "wlan.rsn.pcs.type",
        /// Group cipher.
        group_cipher_code: u8 = "wlan.rsn.gcs.type",
        /// none, capable, required.
        pmf: text,
        /// WPS element present.
        wps: bool,
        /// 0 open, 1 shared key, 2 FT, 3 SAE.
        auth_algorithm: u16 = "wlan.fixed.auth.alg",
        /// Transaction number.
        auth_sequence: u16 = "wlan.fixed.auth_seq",
        /// Status.
        status_code: u16 = "wlan.fixed.status_code",
        /// Reason of deauthentication or disassociation.
        reason_code: u16 = "wlan.fixed.reason_code",
        /// Its name.
        reason: word,
        /// OUI owner of the transmitter.
        vendor: word,
        /// Locally administered transmitter.
        mac_randomised: bool,
        /// 1 to 4 of the four-way handshake, from the key information.
        eapol_message: u8 = "wlan_rsna_eapol.keydes.msgnr",
        /// EAPOL key replay counter.
        key_replay_counter: u64 = "eapol.keydes.replay_counter",
        /// PMKID in message 1, hex.
        @secret pmkid: text,
    }
}
