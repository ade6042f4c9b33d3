import Foundation
import Hummingbird
import Logging
import Synchronization

/// The same JSON job as kheapd's, done the usual way: Hummingbird routes and `Codable` models.
///
/// Behind it is no machine, only a counter, so what is compared is what HTTP and JSON cost.
@main
struct HummingbirdPeer {
    static func main() async throws {
        let heap = CountingHeap()
        let router = Router()
        router.post("v1/sessions") { _, _ in Session(id: "0123456789abcdef0123456789abcdef") }
        router.post("v1/sessions/:id/calls/kmalloc") { request, context in
            let arguments = try await request.decode(as: KmallocArguments.self, context: context)
            return heap.kmalloc(arguments)
        }
        router.post("v1/sessions/:id/calls/kfree") { request, context in
            let arguments = try await request.decode(as: KfreeArguments.self, context: context)
            return heap.kfree(arguments)
        }

        var logger = Logger(label: "hummingbird-peer")
        logger.logLevel = .error
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                print("listening on http://127.0.0.1:\(channel.localAddress?.port ?? 0)")
                fflush(nil)
            },
            logger: logger
        )
        try await application.runService()
    }
}

/// Hands out rising addresses and numbers the calls.
final class CountingHeap: Sendable {
    private let sequence = Mutex<UInt64>(0)

    func kmalloc(_ arguments: KmallocArguments) -> KmallocAnswer {
        let number = next()
        let pfn = 15_373 + number / 64
        return KmallocAnswer(
            seq: number,
            call: "kmalloc",
            return: "0x" + String(0xffff_8880_03c0_d000 &+ number &* 64, radix: 16),
            detail: ObjectDetail(
                cache: "kmalloc-64",
                requested: arguments.size,
                allocated: 64,
                slab: SlabPlace(pfn: pfn, order: 0, index: number % 64),
                pfn: pfn,
                zone: "DMA32",
                node: 0
            ),
            log: []
        )
    }

    func kfree(_ arguments: KfreeArguments) -> KfreeAnswer {
        KfreeAnswer(seq: next(), call: "kfree", return: nil, log: [])
    }

    private func next() -> UInt64 {
        sequence.withLock { value in
            value += 1
            return value
        }
    }
}

struct Session: ResponseEncodable {
    let id: String
}

struct KmallocArguments: Decodable {
    let size: UInt64
    let flags: String
}

struct KfreeArguments: Decodable {
    let objp: String
}

struct KmallocAnswer: ResponseEncodable {
    let seq: UInt64
    let call: String
    let `return`: String
    let detail: ObjectDetail
    let log: [String]
}

struct KfreeAnswer: ResponseEncodable {
    let seq: UInt64
    let call: String
    let `return`: String?
    let log: [String]
}

struct ObjectDetail: Encodable {
    let cache: String
    let requested: UInt64
    let allocated: UInt64
    let slab: SlabPlace
    let pfn: UInt64
    let zone: String
    let node: Int
}

struct SlabPlace: Encodable {
    let pfn: UInt64
    let order: Int
    let index: UInt64
}
