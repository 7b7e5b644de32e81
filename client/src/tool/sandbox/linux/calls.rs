//! seccomp: system calls that a command has no use for, or that lead out.

use std::collections::BTreeMap;

use libc::{c_long, c_ulong};
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, apply_filter,
};

use super::Refusal;
use crate::tool::sandbox::policy::Network;

/// Refused whatever their arguments: other processes' memory, mounts and namespaces, keys, the kernel itself.
/// `io_uring` because it makes sockets past this filter; `truncate` because Landlock before Linux 6.2 does not see it
/// (programs use `ftruncate`).
const REFUSED: &[c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_truncate,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
];

/// Put characters into a terminal's input.
const TERMINAL_INPUT: [u64; 2] = [0x5412, 0x541c];
const NEW_NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];
/// The low bits of a socket's type.
const SOCKET_KIND: u64 = 0xf;
/// The same calls by their numbers in the x32 convention, which some kernels still offer.
#[cfg(target_arch = "x86_64")]
const X32: c_long = 0x4000_0000;

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Holds this process and all that it starts to these calls, for good.
pub(super) fn restrict(network: Network) -> Result<(), Refusal> {
    // A library that does not find `clone3` falls back to `clone`, whose arguments a filter can see.
    let missing = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    apply_filter(&program(missing, libc::ENOSYS)?)?;
    apply_filter(&program(refused(network)?, libc::EPERM)?)?;
    Ok(())
}

fn refused(network: Network) -> Result<Rules, Refusal> {
    let mut rules: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let namespaces = NEW_NAMESPACES.map(|flag| masked(0, c_ulong::from(flag.cast_unsigned())));
    rules.insert(libc::SYS_clone, namespaces.into_iter().collect::<Result<_, _>>()?);
    let inputs = TERMINAL_INPUT.map(|request| rule(vec![condition(1, SeccompCmpOp::Eq, request)?]));
    rules.insert(libc::SYS_ioctl, inputs.into_iter().collect::<Result<_, _>>()?);
    rules.insert(libc::SYS_socket, sockets(network)?);
    rules.insert(libc::SYS_socketpair, pairs()?);
    Ok(rules)
}

fn sockets(network: Network) -> Result<Vec<SeccompRule>, Refusal> {
    match network {
        Network::Refused => Ok(Vec::new()),
        Network::Allowed => {
            let families = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
            let none_of = families.map(|family| condition(0, SeccompCmpOp::Ne, number(family)));
            Ok(vec![rule(none_of.into_iter().collect::<Result<_, _>>()?)?])
        }
    }
}

/// A pair speaks with itself only; but a datagram one can be turned to any address.
fn pairs() -> Result<Vec<SeccompRule>, Refusal> {
    let elsewhere = rule(vec![condition(0, SeccompCmpOp::Ne, number(libc::AF_UNIX))?])?;
    let kinds = [libc::SOCK_DGRAM, libc::SOCK_RAW]
        .map(|kind| rule(vec![condition(1, SeccompCmpOp::MaskedEq(SOCKET_KIND), number(kind))?]));
    let mut rules = vec![elsewhere];
    rules.extend(kinds.into_iter().collect::<Result<Vec<_>, _>>()?);
    Ok(rules)
}

fn number(constant: i32) -> u64 {
    u64::from(constant.cast_unsigned())
}

fn masked(argument: u8, bit: u64) -> Result<SeccompRule, Refusal> {
    let any = SeccompCondition::new(argument, Qword, SeccompCmpOp::MaskedEq(bit), bit)?;
    rule(vec![any])
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, Refusal> {
    Ok(SeccompCondition::new(argument, Dword, operator, value)?)
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, Refusal> {
    Ok(SeccompRule::new(conditions)?)
}

fn program(mut rules: Rules, errno: i32) -> Result<BpfProgram, Refusal> {
    #[cfg(target_arch = "x86_64")]
    rules.append(&mut rules.iter().map(|(call, rules)| (call | X32, rules.clone())).collect());
    let action = SeccompAction::Errno(errno.cast_unsigned());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, std::env::consts::ARCH.try_into()?)?;
    Ok(filter.try_into()?)
}
