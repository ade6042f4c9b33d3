internal import Glibc

/// Time, which exists in the service only: machines have none but their own.
enum Clock {
    /// Nanoseconds of a clock that never steps back.
    @inline(__always)
    static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC) }

    /// Seconds since 1970, for records that people read.
    static func wallSeconds() -> UInt64 { read(CLOCK_REALTIME) / 1_000_000_000 }

    @inline(__always)
    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000
            &+ UInt64(truncatingIfNeeded: time.tv_nsec)
    }

    /// The time as text: `2026-11-21T08:15:00Z`.
    static func text(wallSeconds: UInt64) -> String {
        var seconds = time_t(truncatingIfNeeded: wallSeconds)
        var parts = unsafe tm()
        guard unsafe gmtime_r(&seconds, &parts) != nil else { return "" }
        func padded(_ number: some BinaryInteger) -> String {
            number < 10 ? "0\(number)" : "\(number)"
        }
        let year = unsafe Int(parts.tm_year) + 1900
        let date = unsafe "\(year)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
        let hours = unsafe "\(padded(parts.tm_hour)):\(padded(parts.tm_min))"
        return unsafe "\(date)T\(hours):\(padded(parts.tm_sec))Z"
    }
}
