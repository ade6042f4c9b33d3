/// `read()` and `write()` of files in memory: `shmem_file_read_iter()`, `mm/shmem.c`, and
/// `generic_perform_write()`, `mm/filemap.c`, 6.1.
extension Kernel {
    /// Moves bytes between a program's buffer and a file, from its position on.
    ///
    /// - Parameters:
    ///   - method: `.read` or `.write`.
    ///   - place: of the file.
    ///   - buffer: the program's, in user space.
    ///   - count: bytes.
    ///   - context: whose process.
    /// - Returns: the bytes moved, fewer where a page of the buffer cannot be reached; an error where
    ///   there are none for that.
    mutating func transferFile(
        _ method: DeviceMethod,
        _ place: Int,
        buffer: UInt64,
        count: UInt64,
        in context: CallContext
    ) -> DeviceOutcome {
        guard let file = files[place] else { return .failure(.EBADF) }
        let start = file.position
        let room = method == .read ? file.size : MemoryFile.maximumSize
        let wanted = min(count, room > start ? room - start : 0)
        // generic_write_checks(): nothing fits behind the largest offset.
        guard method == .read || wanted > 0 || count == 0 else { return .failure(.EFBIG) }
        var done: UInt64 = 0
        var errno: Errno?
        while done < wanted, errno == nil {
            let position = start + done
            let length = min(wanted - done, 4096 - position % 4096)
            let moved: UInt64
            switch method == .read
                ? readPiece(place, position, to: buffer + done, length, in: context)
                : writePiece(place, position, from: buffer + done, length, in: context)
            {
            case .success(let bytes): moved = bytes
            case .failure(let reason): (moved, errno) = (0, reason)
            }
            if moved < length, errno == nil { errno = .EFAULT }
            done += moved
        }
        files[place]?.position = start + done
        if method == .write { noteFetch(processIndex(context), buffer, done, in: context) }
        let facts = [Fact("position", .count(start + done))]
        if done == 0, let errno { return .failure(errno, facts) }
        return DeviceOutcome(value: Int64(clamping: done), facts: facts)
    }

    /// Copies a part of one page of a file to user space; a page that is not there reads as zeros.
    private mutating func readPiece(
        _ place: Int,
        _ position: UInt64,
        to address: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) -> Result<UInt64, Errno> {
        if pages.faults.isArmed, injectsFault(at: .usercopy, in: context) {
            return .failure(.EFAULT)
        }
        let frame = files[place]?.frame(position / 4096)
        var source = Int(position % 4096)
        let process = processIndex(context)
        let walk = walkUser(
            process,
            address,
            count,
            for: .store,
            isCopy: true,
            mayFault: mayFault(process, in: context),
            cpu: context.cpu
        ) { kernel, pfn, offset, length in
            if let pfn, let frame {
                kernel.copyFrame(frame, source, to: pfn, offset, count: length)
            } else if let pfn {
                kernel.fillFrame(pfn, offset: offset, count: length, with: 0)
            }
            source += length
        }
        return .success(walk.done)
    }

    /// Copies from user space into one page of a file, which is made where there was none.
    private mutating func writePiece(
        _ place: Int,
        _ position: UInt64,
        from address: UInt64,
        _ count: UInt64,
        in context: CallContext
    ) -> Result<UInt64, Errno> {
        let process = processIndex(context)
        // A buffer that begins nowhere makes no page: fault_in_iov_iter_readable().
        guard loadByte(process, address, in: context) else { return .failure(.EFAULT) }
        guard let frame = cachedPage(place, position / 4096, cpu: context.cpu) else {
            return .failure(.ENOMEM)
        }
        if pages.faults.isArmed, injectsFault(at: .usercopy, in: context) {
            return .failure(.EFAULT)
        }
        var target = Int(position % 4096)
        let walk = walkUser(
            process,
            address,
            count,
            for: .load,
            isCopy: true,
            mayFault: mayFault(process, in: context),
            cpu: context.cpu
        ) { kernel, pfn, offset, length in
            if let pfn {
                kernel.copyFrame(pfn, offset, to: frame, target, count: length)
            } else {
                kernel.fillFrame(frame, offset: target, count: length, with: 0)
            }
            target += length
        }
        if let file = files[place], position + walk.done > file.size {
            files[place]?.size = position + walk.done
        }
        return .success(walk.done)
    }

    /// Whether a byte of user memory can be loaded; its page is there afterwards.
    private mutating func loadByte(
        _ process: Int,
        _ address: UInt64,
        in context: CallContext
    ) -> Bool {
        let mayFault = mayFault(process, in: context)
        let page = userPage(
            process,
            at: address,
            for: .load,
            isCopy: true,
            mayFault: mayFault,
            cpu: context.cpu
        )
        if case .success = page { return true }
        return false
    }
}
