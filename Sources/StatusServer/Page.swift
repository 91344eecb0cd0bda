/// What a browser is given: files that are part of the program.
package enum Page {
    package enum File: String, CaseIterable, Hashable, Sendable {
        case html
        case css
        case js

        var path: String {
            switch self {
            case .html: "/"
            case .css: "/page.css"
            case .js: "/page.js"
            }
        }

        var contentType: String {
            switch self {
            case .html: "text/html; charset=utf-8"
            case .css: "text/css; charset=utf-8"
            case .js: "text/javascript; charset=utf-8"
            }
        }

        var bytes: [UInt8] {
            switch self {
            case .html: PackageResources.page_html
            case .css: PackageResources.page_css
            case .js: PackageResources.page_js
            }
        }
    }

    /// The page takes nothing from elsewhere, and nobody may frame it: what it shows is the names of tables and the texts of errors.
    static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
