/// What a byte of KASAN's shadow memory says of eight bytes of memory: generic mode,
/// `mm/kasan/kasan.h`, 6.1.
///
/// 0 lets all eight be touched, 1 to 7 the first so many; the values here are reasons why none may.
enum ShadowByte {
    static let vmallocInvalid: UInt8 = 0xf8
    /// A freed object whose free is on record.
    static let freedWithTrack: UInt8 = 0xfa
    static let freedObject: UInt8 = 0xfb
    static let objectRedzone: UInt8 = 0xfc
    static let pageRedzone: UInt8 = 0xfe
    static let freedPage: UInt8 = 0xff

    /// Bytes of memory that one byte of shadow describes.
    static let granule: UInt64 = 8
    /// Bytes of shadow in a row of a report, and how many rows there are on either side.
    static let rowBytes: UInt64 = 16
    static let rowsAround: UInt64 = 2
    /// The lowest address that has a shadow: `kasan_shadow_to_mem(KASAN_SHADOW_START)`.
    static let firstAddress: UInt64 = 0xffff_8000_0000_0000
}
