import Simulation
import Testing

@Suite("The catalogue of what is to be covered")
struct CatalogueTests {
    @Test("Each name stands in it once, and only what stands in it is said to be impossible")
    func names() {
        let names = Set(Catalogue.names)
        #expect(names.count == Catalogue.names.count)
        #expect(Catalogue.impossible.keys.filter { !names.contains($0) }.isEmpty)
    }

    @Test("What is never met, what can't be met and what nobody has declared are complaints")
    func complaints() {
        let possible = Catalogue.names.filter { Catalogue.impossible[$0] == nil }
        var coverage = Dictionary(uniqueKeysWithValues: possible.map { ($0, 1) })
        #expect(Catalogue.complaints(coverage).isEmpty)
        coverage["event: in_step"] = 0
        coverage["start table: latest_lost"] = 1
        coverage["event: new"] = 1
        let complaints = Catalogue.complaints(coverage)
        #expect(complaints.count == 3)
        #expect(complaints.contains("never: event: in_step"))
        #expect(complaints.contains("not in the catalogue: event: new"))
    }
}
