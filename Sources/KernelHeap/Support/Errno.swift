/// Error numbers with Linux's values on every host.
public enum Errno: Int32, Error, CaseIterable, Hashable, Sendable {
    case EPERM = 1
    case ENOENT = 2
    case ESRCH = 3
    case EINTR = 4
    case EIO = 5
    case ENXIO = 6
    case E2BIG = 7
    case EBADF = 9
    case EAGAIN = 11
    case ENOMEM = 12
    case EACCES = 13
    case EFAULT = 14
    case EBUSY = 16
    case EEXIST = 17
    case ENODEV = 19
    case EINVAL = 22
    case EMFILE = 24
    case ENOTTY = 25
    case EFBIG = 27
    case ENOSPC = 28
    case ESPIPE = 29
    case ENAMETOOLONG = 36
    case ENOSYS = 38
    case EOVERFLOW = 75

    /// The kernel's name: `EFAULT`.
    public var name: String { String(describing: self) }
}
