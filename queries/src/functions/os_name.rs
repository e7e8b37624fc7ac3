//! `windows_name(version)`: what a version such as `6.0.6001` was sold as; `os_name(text)`: the operating system that a banner,
//! an agent or a description names, `NULL` where it names none.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, Kind, of_text};

pub const DOCS: [FunctionDoc; 2] = [
    FunctionDoc {
        name: "windows_name",
        kind: Kind::Scalar,
        signature: "windows_name(version utf8) -> utf8",
        meaning: "What a version of Windows, major.minor.build, was sold as; null for build 0, as other programs say.",
        example: "windows_name('10.0.17763')",
        gives: "Windows 10 1809 or Server 2019 (build 17763)",
    },
    FunctionDoc {
        name: "os_name",
        kind: Kind::Scalar,
        signature: "os_name(text utf8) -> utf8",
        meaning: "The operating system that a banner, an agent or a description names; null where it names none.",
        example: "os_name('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2')",
        gives: "Debian Linux 12",
    },
];

/// The functions.
pub fn functions() -> Vec<ScalarUDF> {
    vec![of_text("windows_name", DataType::Utf8, windows_name), of_text("os_name", DataType::Utf8, os_name)]
}

/// Builds of Windows, each with the names of the products that share it, client and server.
static BUILDS: &[(u32, &str)] = &[
    (2195, "Windows 2000"),
    (2600, "Windows XP"),
    (3790, "Windows Server 2003 or XP x64"),
    (6000, "Windows Vista"),
    (6001, "Windows Server 2008 or Vista SP1"),
    (6002, "Windows Server 2008 or Vista SP2"),
    (6003, "Windows Server 2008 SP2"),
    (7600, "Windows 7 or Server 2008 R2"),
    (7601, "Windows 7 or Server 2008 R2 SP1"),
    (9200, "Windows 8 or Server 2012"),
    (9600, "Windows 8.1 or Server 2012 R2"),
    (10240, "Windows 10 1507"),
    (10586, "Windows 10 1511"),
    (14393, "Windows 10 1607 or Server 2016"),
    (15063, "Windows 10 1703"),
    (16299, "Windows 10 1709"),
    (17134, "Windows 10 1803"),
    (17763, "Windows 10 1809 or Server 2019"),
    (18362, "Windows 10 1903"),
    (18363, "Windows 10 1909"),
    (19041, "Windows 10 2004"),
    (19042, "Windows 10 20H2"),
    (19043, "Windows 10 21H1"),
    (19044, "Windows 10 21H2"),
    (19045, "Windows 10 22H2"),
    (20348, "Windows Server 2022"),
    (22000, "Windows 11 21H2"),
    (22621, "Windows 11 22H2"),
    (22631, "Windows 11 23H2"),
    (25398, "Windows Server 23H2"),
    (26100, "Windows 11 24H2 or Server 2025"),
];

/// `None` for versions that other programs fill in (build 0, as Samba does).
fn windows_name(version: &str) -> Option<String> {
    let mut parts = version.split('.');
    let (major, _minor): (u32, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let build: u32 = parts.next()?.parse().ok()?;
    if build == 0 {
        return None;
    }
    let name = match BUILDS.iter().find(|(known, _)| *known == build) {
        Some((_, name)) => (*name).to_owned(),
        None if major == 10 && build >= 22000 => "Windows 11 or Server".to_owned(),
        None if major == 10 => "Windows 10 or Server".to_owned(),
        None => "Windows".to_owned(),
    };
    Some(format!("{name} (build {build})"))
}

/// Versions of Windows NT as agents name them, and of IIS by the Windows that brings it.
static NT: &[(&str, &str)] = &[
    ("10.0", "Windows 10 or later"),
    ("6.3", "Windows 8.1 or Server 2012 R2"),
    ("6.2", "Windows 8 or Server 2012"),
    ("6.1", "Windows 7 or Server 2008 R2"),
    ("6.0", "Windows Vista or Server 2008"),
    ("5.2", "Windows Server 2003 or XP x64"),
    ("5.1", "Windows XP"),
    ("5.0", "Windows 2000"),
    ("4.0", "Windows NT 4"),
];
static IIS: &[(&str, &str)] = &[
    ("10.0", "Windows Server 2016 or later"),
    ("8.5", "Windows Server 2012 R2"),
    ("8.0", "Windows Server 2012"),
    ("7.5", "Windows Server 2008 R2"),
    ("7.0", "Windows Server 2008"),
    ("6.0", "Windows Server 2003"),
    ("5.1", "Windows XP"),
    ("5.0", "Windows 2000 Server"),
];

/// Words that name a system, each with its name and whether a version may follow the word.
static WORDS: &[(&str, &str, bool)] = &[
    ("windows phone", "Windows Phone", false),
    ("windows ce", "Windows CE", false),
    ("windows server 2022", "Windows Server 2022", false),
    ("windows server 2019", "Windows Server 2019", false),
    ("windows server 2016", "Windows Server 2016", false),
    ("windows server 2012 r2", "Windows Server 2012 R2", false),
    ("windows server 2012", "Windows Server 2012", false),
    ("windows server 2008 r2", "Windows Server 2008 R2", false),
    ("windows server 2008", "Windows Server 2008", false),
    ("windows server 2003", "Windows Server 2003", false),
    ("windows 2000", "Windows 2000", false),
    ("windows xp", "Windows XP", false),
    ("microsoft-httpapi", "Windows", false),
    ("msft 5.0", "Windows 2000 or later", false),
    ("android-dhcp-", "Android", true),
    ("android", "Android", true),
    ("iphone os", "iOS", true),
    ("cpu os", "iPadOS", true),
    ("mac os x", "macOS", true),
    ("macos", "macOS", true),
    ("darwin", "Darwin", true),
    ("cros ", "ChromeOS", false),
    ("raspbian", "Raspbian Linux", false),
    ("ubuntu", "Ubuntu Linux", false),
    ("+deb", "Debian Linux", true),
    ("debian", "Debian Linux", false),
    ("centos", "CentOS Linux", false),
    ("red hat", "Red Hat Linux", false),
    ("fedora", "Fedora Linux", false),
    ("suse", "SUSE Linux", false),
    ("alpine", "Alpine Linux", false),
    ("gentoo", "Gentoo Linux", false),
    ("freebsd", "FreeBSD", true),
    ("openbsd", "OpenBSD", true),
    ("netbsd", "NetBSD", true),
    ("sunos", "SunOS", true),
    ("hp-ux", "HP-UX", true),
    ("aix", "AIX", true),
    ("ios-xe", "Cisco IOS XE", false),
    ("ios xe", "Cisco IOS XE", false),
    ("cisco nx-os", "Cisco NX-OS", false),
    ("cisco adaptive security", "Cisco ASA", false),
    ("cisco ios", "Cisco IOS", false),
    ("cisco internetwork operating system", "Cisco IOS", false),
    ("ssh-2.0-cisco", "Cisco IOS", false),
    ("ssh-1.99-cisco", "Cisco IOS", false),
    ("junos", "Junos", true),
    ("fortios", "FortiOS", true),
    ("fortigate", "FortiOS", false),
    ("arubaos", "ArubaOS", false),
    ("routeros", "RouterOS", true),
    ("rosssh", "RouterOS", false),
    ("vmware esxi", "VMware ESXi", true),
    ("vxworks", "VxWorks", true),
    ("qnx", "QNX", false),
    ("busybox", "Linux (BusyBox)", false),
    ("udhcp", "Linux (BusyBox)", false),
    ("linux", "Linux", true),
];

fn os_name(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let version_behind = |word: &str| -> Option<String> {
        let at = lower.find(word)? + word.len();
        let rest = lower.get(at..)?.trim_start_matches([' ', '/', '-', '_', 'v', '(', ':']);
        let version: String = rest.chars().take_while(|letter| letter.is_ascii_digit() || matches!(letter, '.' | '_')).take(12).collect();
        let version = version.replace('_', ".");
        let version = version.trim_matches('.').to_owned();
        version.starts_with(|letter: char| letter.is_ascii_digit()).then_some(version)
    };
    let listed = |list: &[(&str, &'static str)], word: &str| {
        let version = version_behind(word)?;
        list.iter().find(|(known, _)| version == *known).map(|(_, name)| (*name).to_owned())
    };
    if let Some(name) = listed(NT, "windows nt").or_else(|| listed(IIS, "microsoft-iis")) {
        return Some(name);
    }
    let (word, name, versioned) = WORDS.iter().find(|(word, _, _)| contains_word(&lower, word))?;
    let version = if *versioned { version_behind(word) } else { None };
    Some(version.map_or_else(|| (*name).to_owned(), |version| format!("{name} {version}")))
}

/// The word stands there, not as part of a longer one.
fn contains_word(text: &str, word: &str) -> bool {
    let is_letter = |octet: Option<&u8>| octet.is_some_and(u8::is_ascii_alphabetic);
    text.match_indices(word).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        let ends_in_letter = word.ends_with(|letter: char| letter.is_ascii_alphabetic());
        let starts_with_letter = word.starts_with(|letter: char| letter.is_ascii_alphabetic());
        !(starts_with_letter && is_letter(before) || ends_in_letter && is_letter(text.as_bytes().get(at + word.len())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_windows() {
        assert_eq!(windows_name("6.0.6001").as_deref(), Some("Windows Server 2008 or Vista SP1 (build 6001)"));
        assert_eq!(windows_name("6.1.0"), None);
        assert_eq!(windows_name("10.0.30000").as_deref(), Some("Windows 11 or Server (build 30000)"));
    }

    #[test]
    fn systems_by_what_they_say() {
        for (text, expected) in [
            ("Mozilla/5.0 (Windows NT 6.1; WOW64) Firefox/40.0", Some("Windows 7 or Server 2008 R2")),
            ("Microsoft-IIS/8.5", Some("Windows Server 2012 R2")),
            ("SSH-2.0-OpenSSH_8.2p1 Ubuntu-4ubuntu0.3", Some("Ubuntu Linux")),
            ("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2", Some("Debian Linux 12")),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", Some("macOS 10.15.7")),
            ("Cisco IOS Software, C2960 Software, Version 15.0(2)SE", Some("Cisco IOS")),
            ("Linux/3.10 UPnP/1.0", Some("Linux 3.10")),
            ("MSFT 5.0", Some("Windows 2000 or later")),
            ("dhcpcd-6.8.2:Linux-4.4.38", Some("Linux 4.4.38")),
            ("Apache/2.4.1", None),
            ("Siemens, SIMATIC S7, CPU-1500", None),
        ] {
            assert_eq!(os_name(text).as_deref(), expected, "{text}");
        }
    }
}
