internal import HTTPServer
internal import KernelHeap
internal import KernelProc

/// The state of a machine: the kernel's own texts, and views of its parts.
extension Service {
    /// `GET …/functions`: what the machine can be asked to do.
    func getFunctions(
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match)
        return try withKernel(of: session, completion) { (kernel) throws(Problem) in
            let has32Bit = kernel.hasSegmentation
            let offered = completion.service.calls.calls.filter { call in
                has32Bit || !call.descriptor.signature.needs32Bit
            }
            var writer = JSONWriter(capacity: 16_384)
            writer.raw("{\"functions\":")
            let layout = kernel.layout
            writer.list(offered) { (json, call) in
                json.function(call.descriptor.signature, is32Bit: layout.is32Bit)
            }
            writer.raw("}")
            return completion.service.json(writer)
        }
    }

    /// `GET …/proc/{path}` and `…/sys/{path}`: a file of the simulated kernel.
    func getProcFile(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ root: String,
        _ completion: Completion
    ) throws(Problem) -> Response {
        if root == "/proc/",
            let view = StateView.pageFile(match.name) ?? StateView.pagemap(match.name)
        {
            return try getPageFile(request, match, view, completion)
        }
        let session = try session(match)
        let path = try decodedPath(match.name)
        let isJSON = prefersJSON(request)
        let counted = root == "/proc/" ? ProcFiles.countedProcess(path: path) : nil
        let isLong = root == "/sys/" && SysFiles.goesThroughMemory(path: path)
        return try withKernel(
            of: session,
            completion,
            unless: { kernel in
                counted.map { StateView.countsManyPages(kernel, of: $0) }
                    ?? (isLong && kernel.heldBytes > 1 << 20)
            }
        ) { (kernel) throws(Problem) in
            let text =
                root == "/proc/"
                ? ProcFiles.text(path: path, of: kernel) : SysFiles.text(path: path, of: kernel)
            guard let text else {
                throw Problem(.unknownFile, "this machine has no \(root)\(path.prefix(128))")
            }
            return completion.service.file(text, path: root + path, isJSON: isJSON)
        }
    }

    /// `GET …/dmesg`: the kernel's log.
    func getDmesg(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match)
        let isJSON = prefersJSON(request)
        return try withKernel(of: session, completion) { (kernel) throws(Problem) in
            let text = DmesgText.text(of: kernel)
            return completion.service.file(text, path: "dmesg", isJSON: isJSON)
        }
    }

    /// `GET …/{view}`: a part of the machine as JSON.
    func getView(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match)
        guard let position = StateView.names.position(of: match.name) else {
            throw Problem(.unknownPath, "a session has no \"\(shortened(match.name))\"")
                .suggesting(match.name, from: StateView.names.names)
        }
        return try show(StateView.all[position], of: session, request, completion)
    }

    /// `GET …/caches/{name}/slabs`: a cache's slabs, slot by slot.
    func getCacheSlabs(
        _ request: borrowing Request,
        _ match: RouteMatch,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let session = try session(match)
        let view = StateView.slabs(ofCache: try decodedPath(match.name, else: .unknownCache))
        return try show(view, of: session, request, completion)
    }

    private func show(
        _ view: StateView,
        of session: Session,
        _ request: borrowing Request,
        _ completion: Completion
    ) throws(Problem) -> Response {
        let accepted = request.header("Accept") ?? ""
        let query = try ViewQuery(
            request.querySlice,
            of: view,
            prefersBytes: accepted.hasPrefix("application/octet-stream")
        )
        let known = request.header("If-None-Match")
        return try withKernel(
            of: session,
            completion,
            unless: { (kernel) throws(Problem) in try view.isLong(kernel, query) }
        ) { (kernel) throws(Problem) in
            // Nothing but calls changes what a view shows.
            let tag = "\"\(kernel.sequence)\""
            if known == tag { return Response(status: 304, headers: [("ETag", tag)]) }
            let answer = try view.answer(kernel, query)
            let type = answer.contentType
            return Response(
                status: 200,
                contentType: type,
                headers: [("ETag", tag)],
                body: .bytes(answer.finish())
            )
        }
    }

    private func file(_ text: String, path: String, isJSON: Bool) -> Response {
        guard isJSON else { return self.text(text) }
        var writer = JSONWriter(capacity: text.utf8.count + 128)
        writer.raw("{\"path\":")
        writer.string(path)
        writer.raw(",\"lines\":")
        writer.list(text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()) {
            (json, line) in json.string(String(line))
        }
        writer.raw("}")
        return json(writer)
    }

    func prefersJSON(_ request: borrowing Request) -> Bool {
        guard let accept = request.header("Accept") else { return false }
        return accept.hasPrefix("application/json")
    }

    private func decodedPath(
        _ path: ByteSlice,
        else unknown: ProblemType = .unknownFile
    ) throws(Problem) -> String {
        guard path.count <= 1_024 else { throw Problem(unknown, "no path is that long") }
        let scratch = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(path.count, 1),
            alignment: 1
        )
        defer { unsafe scratch.deallocate() }
        let count = try unsafe FormFields.decode(path, into: scratch, isForm: false)
        return unsafe String(ByteSlice(UnsafeRawBufferPointer(rebasing: scratch[..<count])))
    }
}
