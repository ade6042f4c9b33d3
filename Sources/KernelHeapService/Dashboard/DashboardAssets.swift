internal import HTTPServer

/// The files of the page at `/`, built into the program.
///
/// The page asks the public interface only, and loads nothing from elsewhere.
enum DashboardAssets {
    static let page = StaticFile("text/html; charset=utf-8", PackageResources.index_html)

    private static let styles = [
        ("panels.css", StaticFile("text/css; charset=utf-8", PackageResources.panels_css)),
        ("style.css", StaticFile("text/css; charset=utf-8", PackageResources.style_css)),
    ]
    private static let scripts: [(name: String, bytes: [UInt8])] = [
        ("api.js", PackageResources.api_js),
        ("app.js", PackageResources.app_js),
        ("boundary.js", PackageResources.boundary_js),
        ("buddy.js", PackageResources.buddy_js),
        ("console.js", PackageResources.console_js),
        ("devices.js", PackageResources.devices_js),
        ("dom.js", PackageResources.dom_js),
        ("en.js", PackageResources.en_js),
        ("events.js", PackageResources.events_js),
        ("files.js", PackageResources.files_js),
        ("gauges.js", PackageResources.gauges_js),
        ("groups.js", PackageResources.groups_js),
        ("held.js", PackageResources.held_js),
        ("home.js", PackageResources.home_js),
        ("i18n.js", PackageResources.i18n_js),
        ("leaks.js", PackageResources.leaks_js),
        ("lens.js", PackageResources.lens_js),
        ("links.js", PackageResources.links_js),
        ("mapcanvas.js", PackageResources.mapcanvas_js),
        ("mapinput.js", PackageResources.mapinput_js),
        ("memory.js", PackageResources.memory_js),
        ("morton.js", PackageResources.morton_js),
        ("palette.js", PackageResources.palette_js),
        ("processor.js", PackageResources.processor_js),
        ("reclaim.js", PackageResources.reclaim_js),
        ("reports.js", PackageResources.reports_js),
        ("scenario.js", PackageResources.scenario_js),
        ("session.js", PackageResources.session_js),
        ("shadow.js", PackageResources.shadow_js),
        ("slabpicture.js", PackageResources.slabpicture_js),
        ("slabs.js", PackageResources.slabs_js),
        ("sortable.js", PackageResources.sortable_js),
        ("space.js", PackageResources.space_js),
        ("sweep.js", PackageResources.sweep_js),
        ("tiles.js", PackageResources.tiles_js),
        ("time.js", PackageResources.time_js),
        ("verdict.js", PackageResources.verdict_js),
        ("walk.js", PackageResources.walk_js),
        ("why.js", PackageResources.why_js),
        ("zh.js", PackageResources.zh_js),
    ]
    private static let files =
        styles
        + scripts.map { ($0.name, StaticFile("text/javascript; charset=utf-8", $0.bytes)) }
    private static let names = NameTable(files.map(\.0))

    /// A file by its name under `/dashboard/`, or nil.
    static func file(_ name: ByteSlice) -> StaticFile? {
        names.position(of: name).map { files[$0].1 }
    }

    /// Scripts, styles and requests of the service's own origin; nothing inline, nothing framed.
    static let securityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        + "img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
}

extension Service {
    /// `GET /`: the page.
    func getDashboard(_ request: borrowing Request) -> Response {
        asset(DashboardAssets.page, request)
    }

    /// `GET /dashboard/{file}`: its scripts and styles.
    func getDashboardFile(
        _ request: borrowing Request,
        _ match: RouteMatch
    ) throws(Problem) -> Response {
        guard let file = DashboardAssets.file(match.name) else {
            throw Problem(.unknownPath, "the page has no such file")
        }
        return asset(file, request)
    }

    private func asset(_ file: StaticFile, _ request: borrowing Request) -> Response {
        file.response(
            to: request,
            headers: [
                ("Content-Security-Policy", DashboardAssets.securityPolicy),
                ("X-Content-Type-Options", "nosniff"),
            ]
        )
    }
}
