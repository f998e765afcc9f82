"""Names, places and sentences for the seeded account. All invented; phone numbers are of the reserved kinds."""


def words(text):
    return text.split()


def phrases(text):
    return [" ".join(phrase.split()) for phrase in text.split(",")]


# country: (first names, last names, [(city, state, postal code)], phone patterns, zone)
PEOPLE = {
    "US": (
        words("""Ana Marcus Denise Tyrell Joanne Luis Grace Wesley Kiara Owen Patricia Hank Leah Dominic Ruth Andre
Bonnie Caleb Farah Ignacio Jill Kendrick Lorna Miles Nadia Oscar Paige Quentin Rosa Silas"""),
        words("""Whitfield Okafor Ramirez Lindqvist Baker Delgado O'Hara Petersen Nguyen Castellano Brooks Kowalczyk
Haddad Sorensen Tran McAllister Vega Thornton Abbott Yamada Fitzgerald Morales Stein Pruitt
Gallagher"""),
        [
            ("Chicago", "IL", "60614"),
            ("Evanston", "IL", "60201"),
            ("Oak Park", "IL", "60302"),
            ("Naperville", "IL", "60540"),
            ("Milwaukee", "WI", "53202"),
            ("Gary", "IN", "46402"),
            ("Joliet", "IL", "60435"),
        ],
        ("(312) 55{d}-01{n:02d}", "773.55{d}.01{n:02d}", "847-55{d}-01{n:02d}", "+1 630 55{d} 01{n:02d}"),
        "America/Chicago",
    ),
    "CA": (
        ["Élise", "Mathieu", "Sophie", "Liam", "Charlotte", "Noah"],
        ["Tremblay", "Gagnon", "Roy", "MacDonald", "Singh", "Bouchard"],
        [("Toronto", "ON", "M5V 2T6"), ("Montréal", "QC", "H2X 1Y4")],
        ("(416) 55{d}-01{n:02d}", "+1 514-55{d}-01{n:02d}"),
        "America/Toronto",
    ),
    "GB": (
        ["Imogen", "Rhys", "Callum", "Saoirse", "Harriet", "Tobias"],
        ["Ashworth", "Pemberton", "Llewellyn", "Blackwood", "Murray", "Kaur"],
        [("Leeds", "West Yorkshire", "LS1 4DY"), ("Bristol", "", "BS1 5TR")],
        ("020 7946 0{d}{n:02d}", "+44 113 496 0{d}{n:02d}"),
        "Europe/London",
    ),
    "DE": (
        ["Jürgen", "Anke", "Björn", "Käthe", "Sören", "Lieselotte"],
        ["Müller", "Schröder", "Weiß", "Großmann", "Krüger", "Öztürk"],
        [("München", "Bayern", "80331"), ("Köln", "NRW", "50667")],
        ("030 23125 {d}{n:02d}", "+49 221 4710 {d}{n:02d}"),
        "Europe/Berlin",
    ),
    "MX": (
        ["María", "José", "Guadalupe", "Íñigo", "Ximena", "Ramón"],
        ["Hernández", "García", "Peña", "Núñez", "Ibáñez", "Castañeda"],
        [("Guadalajara", "Jalisco", "44100"), ("Monterrey", "Nuevo León", "64000")],
        ("+52 33 5550 {d}{n:03d}",),
        "America/Mexico_City",
    ),
    "PL": (
        ["Łukasz", "Agnieszka", "Zbigniew", "Małgorzata"],
        ["Wójcik", "Kowalska", "Wiśniewski", "Dąbrowska"],
        [("Kraków", "Małopolskie", "31-042"), ("Łódź", "Łódzkie", "90-001")],
        ("+48 12 555 {d}{n:03d}",),
        "Europe/Warsaw",
    ),
    "IN": (
        ["Priya", "Arjun", "Kavya", "Rohan"],
        ["Iyer", "Chatterjee", "Reddy", "Deshpande"],
        [("Pune", "Maharashtra", "411001")],
        ("+91 20 5550 {d}{n:03d}",),
        "Asia/Kolkata",
    ),
    "JP": (
        ["陽菜", "健太", "さくら", "大輔"],
        ["佐藤", "鈴木", "高橋", "田中"],
        [("Osaka", "", "530-0001")],
        ("+81 6 5550 {d}{n:03d}",),
        "Asia/Tokyo",
    ),
}
COUNTRY_WEIGHTS = {"US": 78, "CA": 5, "GB": 4, "DE": 3, "MX": 5, "PL": 2, "IN": 2, "JP": 1}
STREETS = """Maple Street,Lake Shore Drive,Wabash Avenue,Cedar Lane,Harrison Road,Birchwood Court,Milwaukee Avenue,
Prairie Avenue,Sunset Terrace,Old Mill Road""".replace("\n", "").split(",")
COMPANY_STEMS = words("""Lakeside Harbor Summit Cornerstone Bluebird Ironwood Redbrick Clearwater Oakridge Pioneer
Sterling
Meadowbrook Highland Beacon Granite Juniper Keystone Silverline Evergreen Copperfield""")
COMPANY_KINDS = """Property Management,Dental,Builders,Realty,Storage,Brewing Co.,Veterinary Clinic,Logistics,
Montessori,Law Group,Apartments,Auto Body,Bakery,Insurance""".replace("\n", "").split(",")
SOURCES = [
    "website",
    "facebook",
    "referral",
    "google ads",
    "home show",
    "yard sign",
    "door knock",
    None,
    None,
]
TAGS = """new lead,customer,vip,roof repair,full replacement,gutters,insurance claim,hail damage,commercial,residential,
financing,referral,do not call,spring promo,newsletter,estimate sent,estimate signed,warranty,follow up,cold,
inspection booked,past due,spanish,realtor,hoa""".replace("\n", "").split(",")
NOTES = [
    "Left a voicemail, will try again {day}.",
    "<p>Called about the <strong>estimate</strong>. Wants it in writing before {day}.</p>",
    "<p>Walked the roof:</p><ul><li>hail hits on the north slope</li><li>two lifted shingles</li>"
    "<li>gutter loose at the garage</li></ul>",
    '<p>Sent the brochure: <a href="https://example.com/brochure">spring brochure</a>.</p>',
    "Prefers texts after 5 pm.",
    "Spoke with {first}, adjuster comes {day}. Claim no. still open.",
    "<p>Asked for <em>three colours</em>: slate, weathered wood, charcoal.<br>Decides with spouse.</p>",
    "<ol><li>Confirm deductible</li><li>Order dumpster</li><li>Schedule crew</li></ol>",
    "Neighbour of a past customer. Very friendly dog.",
    "Not interested this year. Ask again in spring.",
    "Paid deposit by check & signed the contract.\nCrew starts {day}.",
    "<p>Leak above the kitchen, <strong>urgent</strong>. Tarp until repaired.</p>",
]
TASKS = [
    "Call {first} back",
    "Send estimate",
    "Follow up on the estimate",
    "Confirm inspection time",
    "Order shingles",
    "Ask for the claim number",
    "Request a review",
    "Send the invoice",
    "Check financing application",
    "Schedule the crew",
    "Mail the warranty card",
    "Photos of the north slope",
]
TASK_BODIES = [
    None,
    None,
    "Mornings are best.",
    "See the last note.",
    "<p>Ask for <strong>both</strong> owners.</p>",
]
APPOINTMENT_TITLES = [
    "Roof inspection",
    "Estimate walk-through",
    "Contract signing",
    "Final walk-through",
    "Phone call",
]
JOBS = ["roof", "gutters", "repair"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "next week", "the 15th"]
USERS = [
    ("Rosalind", "Meyer", "admin"),
    ("Dev", "Patel", "user"),
    ("Carmen", "Ortiz", "user"),
    ("Theo", "Lindgren", "user"),
    ("Mo", "Abdi", "user"),
]
CALENDARS = [
    ("Roof inspections", "round_robin", 60, True),
    ("Estimates", "round_robin", 45, True),
    ("Phone calls", "event", 15, True),
    ("Project walk-throughs", "collective", 90, False),
]
# (group, name, type, options or an example maker's name, model)
CUSTOM_FIELDS = [
    ("Property", "Roof type", "SINGLE_OPTIONS", ["Asphalt", "Metal", "Tile", "Flat"], "contact"),
    ("Property", "Square feet", "NUMERICAL", (900, 4800), "contact"),
    ("Property", "Year built", "NUMERICAL", (1890, 2022), "contact"),
    ("Property", "Gate code", "TEXT", ["#4411", "1-2-3-4", "call first"], "contact"),
    (
        "Insurance",
        "Insurer",
        "SINGLE_OPTIONS",
        ["Prairie Mutual", "Great Lakes Casualty", "Northern Trust"],
        "contact",
    ),
    ("Insurance", "Claim number", "TEXT", ["CL-20418", "PM/88/1042", "GLC 771-22"], "contact"),
    ("Insurance", "Deductible", "MONETORY", (500, 5000), "contact"),
    (
        "Sale",
        "Interested in",
        "MULTIPLE_OPTIONS",
        ["Repair", "Replacement", "Gutters", "Siding", "Solar"],
        "contact",
    ),
    ("Sale", "Best time to call", "RADIO", ["Morning", "Afternoon", "Evening"], "contact"),
    ("Sale", "Wants newsletter", "CHECKBOX", ["Yes"], "contact"),
    ("Sale", "Decision by", "DATE", (-60, 200), "contact"),
    ("Sale", "Directions", "LARGE_TEXT", ["Blue house behind the church.\nPark in the alley."], "contact"),
    ("Sale", "Crew size", "NUMERICAL", (2, 8), "opportunity"),
]
CUSTOM_VALUES = [
    ("Office phone", "+13125550100"),
    ("Warranty years", "25"),
    ("Review link", "https://example.com/review"),
]
STATUSES_PAST = ["showed", "showed", "showed", "noshow", "cancelled", "confirmed", "invalid"]
STATUSES_TO_COME = ["confirmed", "confirmed", "confirmed", "new", "cancelled"]
PERMISSIONS = words("""campaignsEnabled campaignsReadOnly contactsEnabled workflowsEnabled workflowsReadOnly
triggersEnabled funnelsEnabled websitesEnabled opportunitiesEnabled dashboardStatsEnabled
bulkRequestsEnabled appointmentsEnabled reviewsEnabled onlineListingsEnabled phoneCallEnabled
conversationsEnabled assignedDataOnly adwordsReportingEnabled membershipEnabled
facebookAdsReportingEnabled attributionsReportingEnabled settingsEnabled tagsEnabled
leadValueEnabled marketingEnabled agentReportingEnabled botService socialPlanner bloggingEnabled
invoiceEnabled affiliateManagerEnabled contentAiEnabled refundsEnabled recordPaymentEnabled
cancelSubscriptionEnabled paymentsEnabled communitiesEnabled exportPaymentsEnabled
adPublishingEnabled adPublishingReadOnly certificatesEnabled customMenuLinkReadOnly
customMenuLinkWrite gokollabEnabled mediaStorageEnabled opportunitiesBulkActionsEnabled
reportingEnabled wordpressEnabled""")
LOCATION_PERMISSIONS = words("""adManagerEnabled adwordsReportingEnabled affiliateManagerEnabled agentReportingEnabled
appointmentsEnabled attributionsReportingEnabled bloggingEnabled botServiceEnabled
bulkRequestsEnabled campaignsEnabled contactsEnabled conversationsEnabled dashboardStatsEnabled
emailBuilderEnabled facebookAdsReportingEnabled facebookMessengerEnabled formsEnabled funnelsEnabled
gmbCallTrackingEnabled gmbMessagingEnabled htmlBuilderEnabled launchpadEnabled marketingEnabled
membershipEnabled opportunitiesEnabled phoneCallEnabled proposalsEnabled qrCodesEnabled
quizzesEnabled reviewsEnabled settingsEnabled smsEmailTemplatesEnabled surveysEnabled tagsEnabled
textToPayEnabled triggerLinksEnabled triggersEnabled webChatEnabled websitesEnabled workflowsEnabled""")
