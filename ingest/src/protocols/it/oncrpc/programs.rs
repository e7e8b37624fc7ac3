//! Names of programs and procedures.

/// Programs whose arguments are read.
pub const PORTMAP: u32 = 100_000;
pub const NFS: u32 = 100_003;
pub const MOUNT: u32 = 100_005;
pub const NFS_ACL: u32 = 100_227;

/// Name of a program (IANA, "RPC program numbers").
pub fn program(program: u32) -> Option<&'static str> {
    Some(match program {
        PORTMAP => "portmap",
        100_001 => "rstat",
        100_002 => "rusers",
        NFS => "nfs",
        100_004 => "ypserv",
        MOUNT => "mount",
        100_007 => "ypbind",
        100_008 => "wall",
        100_009 => "yppasswd",
        100_010 => "etherstat",
        100_011 => "rquota",
        100_012 => "spray",
        100_017 => "rexec",
        100_020 => "llockmgr",
        100_021 => "nlm",
        100_023 => "statmon",
        100_024 => "nsm",
        100_026 => "bootparam",
        100_028 => "ypupdate",
        100_029 => "keyserv",
        100_068 => "cmsd",
        100_069 => "ypxfr",
        100_083 => "ttdbserv",
        100_099 => "autofs",
        NFS_ACL => "nfs_acl",
        100_232 => "sadmind",
        100_249 => "snmpxdmid",
        100_300 => "nisplus",
        150_001 => "pcnfsd",
        // VXI-11: instruments of laboratories.
        395_183 => "vxi11_core",
        395_184 => "vxi11_async",
        395_185 => "vxi11_intr",
        0x4000_0000 => "nfs_cb",
        _ => return None,
    })
}

/// Name of a procedure of this program and version.
pub fn procedure(program: u32, version: u32, procedure: u32) -> Option<&'static str> {
    let names: &[&str] = match (program, version) {
        (_, _) if procedure == 0 => &["NULL"],
        (PORTMAP, ..=2) => &["NULL", "SET", "UNSET", "GETPORT", "DUMP", "CALLIT"],
        (PORTMAP, _) => &[
            "NULL",
            "SET",
            "UNSET",
            "GETADDR",
            "DUMP",
            "BCAST",
            "GETTIME",
            "UADDR2TADDR",
            "TADDR2UADDR",
            "GETVERSADDR",
            "INDIRECT",
            "GETADDRLIST",
            "GETSTAT",
        ],
        (NFS, 2) => V2,
        (NFS, 3) => V3,
        (NFS, 4) => &["NULL", "COMPOUND"],
        (MOUNT, ..=3) => &["NULL", "MNT", "DUMP", "UMNT", "UMNTALL", "EXPORT", "EXPORTALL", "PATHCONF"],
        (NFS_ACL, 2) => &["NULL", "GETACL", "SETACL", "GETATTR", "ACCESS", "GETXATTRDIR"],
        (NFS_ACL, _) => &["NULL", "GETACL", "SETACL", "GETXATTRDIR"],
        (100_011, _) => &["NULL", "GETQUOTA", "GETACTIVEQUOTA", "SETQUOTA", "SETACTIVEQUOTA"],
        (100_021, _) => &[
            "NULL",
            "TEST",
            "LOCK",
            "CANCEL",
            "UNLOCK",
            "GRANTED",
            "TEST_MSG",
            "LOCK_MSG",
            "CANCEL_MSG",
            "UNLOCK_MSG",
            "GRANTED_MSG",
            "TEST_RES",
            "LOCK_RES",
            "CANCEL_RES",
            "UNLOCK_RES",
            "GRANTED_RES",
            "",
            "",
            "",
            "",
            "SHARE",
            "UNSHARE",
            "NM_LOCK",
            "FREE_ALL",
        ],
        (100_024, _) => &["NULL", "STAT", "MON", "UNMON", "UNMON_ALL", "SIMU_CRASH", "NOTIFY"],
        (100_004, 2) => &["NULL", "DOMAIN", "DOMAIN_NONACK", "MATCH", "FIRST", "NEXT", "XFR", "CLEAR", "ALL", "MASTER", "ORDER", "MAPLIST"],
        (100_007, _) => &["NULL", "DOMAIN", "SETDOM"],
        (0x4000_0000, _) => &["NULL", "CB_COMPOUND"],
        _ => return None,
    };
    names.get(usize::try_from(procedure).ok()?).copied().filter(|name| !name.is_empty())
}

/// Procedures of NFS version 2 (RFC 1094, section 2.2).
const V2: &[&str] = &[
    "NULL",
    "GETATTR",
    "SETATTR",
    "ROOT",
    "LOOKUP",
    "READLINK",
    "READ",
    "WRITECACHE",
    "WRITE",
    "CREATE",
    "REMOVE",
    "RENAME",
    "LINK",
    "SYMLINK",
    "MKDIR",
    "RMDIR",
    "READDIR",
    "STATFS",
];

/// Procedures of NFS version 3 (RFC 1813, section 3.3).
const V3: &[&str] = &[
    "NULL",
    "GETATTR",
    "SETATTR",
    "LOOKUP",
    "ACCESS",
    "READLINK",
    "READ",
    "WRITE",
    "CREATE",
    "MKDIR",
    "SYMLINK",
    "MKNOD",
    "REMOVE",
    "RMDIR",
    "RENAME",
    "LINK",
    "READDIR",
    "READDIRPLUS",
    "FSSTAT",
    "FSINFO",
    "PATHCONF",
    "COMMIT",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(procedure(NFS, 2, 4), Some("LOOKUP"));
        assert_eq!(procedure(NFS, 3, 3), Some("LOOKUP"));
        assert_eq!(procedure(PORTMAP, 2, 3), Some("GETPORT"));
        assert_eq!(procedure(PORTMAP, 4, 3), Some("GETADDR"));
        assert_eq!(procedure(NFS, 3, 22), None);
        assert_eq!(procedure(555_555, 1, 0), Some("NULL"));
    }
}
