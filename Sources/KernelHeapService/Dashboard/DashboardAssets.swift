internal import HTTPServer

/// The files of the page at `/`, built into the program.
///
/// The page asks the public interface only, and loads nothing from elsewhere.
enum DashboardAssets {
    /// A file by its name under `/dashboard/`, or nil.
    static func file(_ name: ByteSlice) -> (contentType: StaticString, bytes: [UInt8])? {
        if name == "app.js" { return ("text/javascript; charset=utf-8", PackageResources.app_js) }
        if name == "api.js" { return ("text/javascript; charset=utf-8", PackageResources.api_js) }
        if name == "style.css" { return ("text/css; charset=utf-8", PackageResources.style_css) }
        return nil
    }

    static var page: [UInt8] { PackageResources.index_html }

    /// Scripts, styles and requests of the service's own origin; nothing inline, nothing framed.
    static let securityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        + "img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
}

extension Service {
    /// `GET /`: the page.
    func getDashboard() -> Response {
        asset(DashboardAssets.page, "text/html; charset=utf-8")
    }

    /// `GET /dashboard/{file}`: its scripts and styles.
    func getDashboardFile(_ match: RouteMatch) throws(Problem) -> Response {
        guard let file = DashboardAssets.file(match.name) else {
            throw Problem(.unknownPath, "the page has no such file")
        }
        return asset(file.bytes, file.contentType)
    }

    private func asset(_ bytes: [UInt8], _ contentType: StaticString) -> Response {
        var body = ByteBuffer(capacity: bytes.count)
        body.append(bytes)
        return Response(
            status: 200,
            contentType: contentType,
            headers: [
                ("Content-Security-Policy", DashboardAssets.securityPolicy),
                ("X-Content-Type-Options", "nosniff"),
                ("Cache-Control", "no-cache"),
            ],
            body: .bytes(body)
        )
    }
}
