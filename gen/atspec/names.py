"""Names in C, derived from the manual's."""

from __future__ import annotations

import re

# Words that can't name a struct member in C or C++, and macros of their
# standard headers that would replace one.
RESERVED = frozenset("""
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char
    char8_t char16_t char32_t class compl concept const consteval constexpr
    constinit const_cast continue co_await co_return co_yield decltype default
    delete do double dynamic_cast else enum explicit export extern false float
    for friend goto if inline int long mutable namespace new noexcept not not_eq
    nullptr operator or or_eq private protected public register reinterpret_cast
    requires restrict return short signed sizeof static static_assert static_cast
    struct switch template this thread_local throw true try typedef typeid
    typename typeof union unsigned using virtual void volatile wchar_t while xor
    xor_eq complex imaginary noreturn assert errno offsetof setjmp stdin stdout
    stderr linux unix near far
""".split())


def snake_case(name: str) -> str:
    """connectID -> connect_id, hostIPAddr -> host_ip_addr, DNS_ttl -> dns_ttl."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def flat_case(name: str) -> str:
    """QPING.summary -> qping_summary, SEND OK -> send_ok, +CME ERROR -> cme_error."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def command_text(name: str) -> str:
    """QIOPEN -> AT+QIOPEN, AT^SYSINFO -> AT^SYSINFO."""
    return name if re.match("AT[^A-Z0-9]", name) else "AT+" + name


def is_c_name(name: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None
