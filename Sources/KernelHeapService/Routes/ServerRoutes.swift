internal import HTTPServer
internal import KernelHeap

/// What concerns the service as a whole: probes, metrics, contract, profiles.
extension Service {
    /// `GET /readyz`: 503 while no further batch would be taken.
    func getReady() -> Response {
        workers.pendingCount < configuration.maximumJobs
            ? text("ready\n") : text("busy\n", status: 503)
    }

    func getMetrics() -> Response {
        var text = PrometheusText()
        metrics.write(
            to: &text,
            sessionCount: sessions.count,
            heldBytes: sessions.heldBytes,
            jobs: workers.pendingCount
        )
        return Response(
            status: 200,
            contentType: "text/plain; version=0.0.4; charset=utf-8",
            body: .bytes(text.finish())
        )
    }

    func getProfiles() -> Response {
        var writer = JSONWriter(capacity: 8_192)
        writer.raw("{\"profiles\":")
        writer.list(MachineProfile.all) { (json, profile) in json.profile(profile) }
        writer.raw("}")
        return json(writer)
    }

    func getContract() -> Response {
        let contract = PackageResources.openapi_yaml
        var body = ByteBuffer(capacity: contract.count)
        body.append(contract)
        return Response(status: 200, contentType: "application/yaml", body: .bytes(body))
    }
}

extension JSONWriter {
    fileprivate mutating func profile(_ profile: MachineProfile) {
        raw("{\"name\":")
        string(profile.name)
        raw(",\"kernel\":")
        string(profile.kernelRelease)
        raw(",\"constants\":{")
        var isFirst = true
        for constant in profile.constants {
            if !isFirst { raw(",") }
            isFirst = false
            string(constant.name)
            raw(":")
            address(constant.value)
        }
        raw("},\"gfp_flags\":{")
        isFirst = true
        for entry in profile.gfp.entries {
            if !isFirst { raw(",") }
            isFirst = false
            string(entry.name)
            raw(":")
            address(UInt64(entry.value))
        }
        raw("}}")
    }
}
