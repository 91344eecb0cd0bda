internal import StreamModel

extension Timestamp {
    /// Reads the Date header's form, `Tue, 15 Nov 1994 08:12:31 GMT` (RFC 9110, 5.6.7). Nobody sends the obsolete ones.
    init?(httpDate text: String) {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT" else { return nil }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard let month = months.firstIndex(of: String(words[2])) else { return nil }
        let (day, number) = (words[1], "\(month < 9 ? "0" : "")\(month + 1)")
        self.init("\(words[3])-\(number)-\(day.utf8.count == 1 ? "0" : "")\(day)T\(words[4])Z")
    }
}
