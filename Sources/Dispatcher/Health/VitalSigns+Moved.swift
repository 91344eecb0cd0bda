internal import StreamModel

extension VitalSigns {
    /// The same by another clock, which is so much ahead of this one.
    func moved(by lead: Duration) -> VitalSigns {
        var signs = self
        signs.written = written.moved(by: lead)
        signs.slowReader?.since.move(by: lead)
        signs.journalBusySince?.move(by: lead)
        signs.read?.move(by: lead)
        signs.unlisted?.since.move(by: lead)
        signs.unlisted?.trouble?.move(by: lead)
        signs.target.acknowledged?.move(by: lead)
        signs.target.busySince?.move(by: lead)
        signs.target.refused?.move(by: lead)
        for index in signs.tables.indices { signs.tables[index].move(by: lead) }
        return signs
    }
}

extension VitalSigns.Table {
    fileprivate mutating func move(by lead: Duration) {
        listed?.move(by: lead)
        listing?.move(by: lead)
        scan?.move(by: lead)
        scanMoved?.move(by: lead)
        scanTryFailed?.move(by: lead)
        trouble?.move(by: lead)
        for index in shards.indices {
            shards[index].taken.move(by: lead)
            shards[index].page?.move(by: lead)
            shards[index].tryFailed?.move(by: lead)
            shards[index].trouble?.move(by: lead)
            shards[index].replay?.since.move(by: lead)
        }
    }
}

extension VitalSigns.Trouble {
    fileprivate mutating func move(by lead: Duration) {
        since.move(by: lead)
        last?.move(by: lead)
    }
}

extension Timestamp {
    fileprivate mutating func move(by lead: Duration) { self = moved(by: lead) }

    /// No time before 1970, which nobody can write down: a machine without a clock of its own begins there.
    fileprivate func moved(by lead: Duration) -> Timestamp { max(self + lead, Timestamp(microseconds: 0)) }
}
