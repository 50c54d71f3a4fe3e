"""Large and well-known places with the state or country they lie in: data for `places.py`.

Written from general knowledge; where a name is shared, the best-known bearer is listed.
"""

STATES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA",
    "Colorado": "CO", "Connecticut": "CT", "Delaware": "DE", "Florida": "FL", "Georgia": "GA",
    "Hawaii": "HI", "Idaho": "ID", "Illinois": "IL", "Indiana": "IN", "Iowa": "IA",
    "Kansas": "KS", "Kentucky": "KY", "Louisiana": "LA", "Maine": "ME", "Maryland": "MD",
    "Massachusetts": "MA", "Michigan": "MI", "Minnesota": "MN", "Mississippi": "MS",
    "Missouri": "MO", "Montana": "MT", "Nebraska": "NE", "Nevada": "NV", "New Hampshire": "NH",
    "New Jersey": "NJ", "New Mexico": "NM", "New York": "NY", "North Carolina": "NC",
    "North Dakota": "ND", "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR", "Pennsylvania": "PA",
    "Rhode Island": "RI", "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN",
    "Texas": "TX", "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington": "WA",
    "West Virginia": "WV", "Wisconsin": "WI", "Wyoming": "WY", "District of Columbia": "DC",
}  # fmt: skip

SHORT_NAMES = {
    "nyc": "New York", "new york city": "New York", "ny": "New York", "sf": "San Francisco",
    "san fran": "San Francisco", "la": "Los Angeles", "l.a.": "Los Angeles", "dc": "Washington",
    "philly": "Philadelphia", "vegas": "Las Vegas", "washington dc": "Washington",
    "washington d.c.": "Washington",
}  # fmt: skip
"""Short names of cities; those of two letters count only in capitals."""

_BY_STATE = """
AL: Birmingham, Montgomery, Huntsville, Mobile
AK: Anchorage, Fairbanks, Juneau
AZ: Phoenix, Tucson, Mesa, Chandler, Scottsdale, Gilbert, Tempe, Flagstaff, Sedona
AR: Little Rock, Fayetteville
CA: Los Angeles, San Diego, San Jose, San Francisco, Fresno, Sacramento, Long Beach, Oakland, \
Bakersfield, Anaheim, Santa Ana, Riverside, Stockton, Irvine, Chula Vista, Fremont, \
San Bernardino, Modesto, Santa Clarita, Fontana, Moreno Valley, Oxnard, Glendale, \
Huntington Beach, Santa Rosa, Berkeley, Pasadena, Palo Alto, Mountain View, Sunnyvale, \
Santa Clara, Cupertino, Menlo Park, Redwood City, San Mateo, Burlingame, Milpitas, Hayward, \
San Leandro, Union City, Newark, Livermore, Pleasanton, Dublin, San Ramon, Walnut Creek, \
Concord, Pleasant Hill, Martinez, Antioch, Richmond, El Cerrito, Albany, Emeryville, Alameda, \
Lafayette, Orinda, Danville, Vallejo, Benicia, Fairfield, Vacaville, Napa, Sonoma, Petaluma, \
Novato, San Rafael, Sausalito, Mill Valley, Larkspur, Corte Madera, Santa Cruz, Los Gatos, \
Campbell, Saratoga, Morgan Hill, Gilroy, Los Altos, Foster City, Belmont, San Carlos, \
South San Francisco, Daly City, Pacifica, Half Moon Bay, San Bruno, Millbrae, Rohnert Park, \
Healdsburg, St. Helena, Saint Helena, Pinole, Hercules, Monterey, Santa Barbara, Malibu, \
Santa Monica, Beverly Hills, Burbank, Torrance, Carlsbad, Escondido, Palm Springs, Davis, \
Cloverdale, American Canyon, Castro Valley, Brentwood, Pittsburg, Hollywood, Culver City
CO: Denver, Colorado Springs, Aurora, Boulder, Fort Collins, Aspen
CT: Hartford, New Haven, Stamford, Bridgeport
DC: Washington
DE: Wilmington, Dover
FL: Miami, Orlando, Tampa, Jacksonville, Tallahassee, Fort Lauderdale, St. Petersburg, \
Hialeah, Gainesville, Naples, Key West, Sarasota
GA: Atlanta, Savannah, Augusta, Athens
HI: Honolulu, Hilo
IA: Des Moines, Cedar Rapids, Iowa City
ID: Boise
IL: Chicago, Springfield, Naperville, Peoria, Evanston
IN: Indianapolis, Fort Wayne, Bloomington
KS: Wichita, Topeka
KY: Louisville, Lexington
LA: New Orleans, Baton Rouge, Shreveport
MA: Boston, Cambridge, Worcester, Salem
MD: Baltimore, Annapolis, Bethesda, Rockville
ME: Portland Maine, Bangor
MI: Detroit, Ann Arbor, Grand Rapids, Lansing
MN: Minneapolis, Saint Paul, St. Paul, Duluth
MO: Kansas City, St. Louis, Saint Louis
MS: Jackson, Biloxi
MT: Billings, Missoula, Bozeman
NC: Charlotte, Raleigh, Durham, Greensboro, Asheville
ND: Fargo, Bismarck
NE: Omaha, Lincoln
NH: Manchester New Hampshire
NJ: Jersey City, Trenton, Princeton, Hoboken, Atlantic City
NM: Albuquerque, Santa Fe
NV: Las Vegas, Reno, Henderson, Carson City
NY: New York, Buffalo, Rochester, Syracuse, Brooklyn, Yonkers, Ithaca
OH: Columbus, Cleveland, Cincinnati, Toledo, Akron, Dayton
OK: Oklahoma City, Tulsa
OR: Portland, Eugene, Bend
PA: Philadelphia, Pittsburgh, Harrisburg, Allentown
RI: Providence, Newport
SC: Charleston, Columbia, Greenville
SD: Sioux Falls
TN: Nashville, Memphis, Knoxville, Chattanooga
TX: Houston, San Antonio, Dallas, Austin, Fort Worth, El Paso, Arlington, Plano, Lubbock, \
Galveston, Corpus Christi
UT: Salt Lake City, Provo, Park City
VA: Virginia Beach, Norfolk, Alexandria, Charlottesville
VT: Burlington, Montpelier
WA: Seattle, Spokane, Tacoma, Bellevue, Redmond, Olympia, Kirkland
WI: Milwaukee, Madison, Green Bay
WV: Morgantown
WY: Cheyenne
"""

_BY_COUNTRY = """
Argentina: Buenos Aires, Cordoba, Mendoza
Australia: Sydney, Melbourne, Brisbane, Perth, Adelaide, Canberra, Gold Coast, Hobart
Austria: Vienna, Salzburg, Graz, Innsbruck
Bangladesh: Dhaka
Belgium: Brussels, Antwerp, Ghent, Bruges
Brazil: Sao Paulo, São Paulo, Rio de Janeiro, Brasilia, Salvador
Canada: Toronto, Vancouver, Montreal, Ottawa, Calgary, Edmonton, Quebec City, Winnipeg
Chile: Santiago
China: Beijing, Shanghai, Guangzhou, Shenzhen, Chengdu, Hangzhou, Wuhan, Nanjing, Hong Kong, \
Tianjin, Xi'an, Chongqing, Suzhou
Colombia: Bogota, Medellin
Croatia: Zagreb, Dubrovnik, Split
Cuba: Havana
Czech Republic: Prague, Brno
Denmark: Copenhagen, Aarhus
Egypt: Cairo, Alexandria Egypt
Finland: Helsinki
France: Paris, Lyon, Marseille, Nice, Toulouse, Bordeaux, Strasbourg, Lille
Germany: Berlin, Munich, Hamburg, Frankfurt, Cologne, Stuttgart, Dresden, Leipzig, München
Greece: Athens Greece, Thessaloniki
Hungary: Budapest
Iceland: Reykjavik
India: Mumbai, Delhi, New Delhi, Bangalore, Bengaluru, Chennai, Kolkata, Hyderabad, Pune, Jaipur
Indonesia: Jakarta, Bali, Surabaya, Bandung
Ireland: Cork, Galway
Israel: Tel Aviv, Jerusalem
Italy: Rome, Milan, Venice, Florence, Turin, Bologna
Japan: Tokyo, Osaka, Kyoto, Yokohama, Sapporo, Nagoya, Fukuoka
Kenya: Nairobi
Latvia: Riga
Malaysia: Kuala Lumpur
Mexico: Mexico City, Cancun, Guadalajara, Tijuana
Morocco: Marrakesh, Casablanca
Netherlands: Amsterdam, Rotterdam, The Hague, Utrecht
New Zealand: Auckland, Wellington, Queenstown
Nigeria: Lagos, Abuja
Norway: Oslo, Bergen
Pakistan: Karachi, Lahore, Islamabad
Peru: Lima, Cusco
Philippines: Manila, Cebu
Poland: Warsaw, Krakow
Portugal: Lisbon, Porto
Russia: Moscow, Saint Petersburg
Saudi Arabia: Riyadh, Jeddah
Singapore: Singapore
South Africa: Cape Town, Johannesburg, Durban
South Korea: Seoul, Busan, Incheon
Spain: Madrid, Barcelona, Valencia, Seville, Bilbao
Sweden: Stockholm, Gothenburg
Switzerland: Zurich, Geneva, Basel, Bern
Taiwan: Taipei
Thailand: Bangkok, Phuket, Chiang Mai
Turkey: Istanbul, Ankara
UAE: Dubai, Abu Dhabi
UK: London, Manchester, Liverpool, Edinburgh, Glasgow, Oxford, Leeds, Bristol
Ukraine: Kyiv
Vietnam: Hanoi, Ho Chi Minh City, Da Nang
"""

LOCAL_NAMES = {
    "北京": "Beijing", "上海": "Shanghai", "广州": "Guangzhou", "深圳": "Shenzhen",
    "香港": "Hong Kong",
    "成都": "Chengdu", "杭州": "Hangzhou", "东京": "Tokyo", "巴黎": "Paris", "纽约": "New York",
    "伦敦": "London", "서울": "Seoul", "부산": "Busan", "도쿄": "Tokyo", "東京": "Tokyo",
    "münchen": "Munich", "wien": "Vienna", "roma": "Rome", "milano": "Milan", "lisboa": "Lisbon",
    "hà nội": "Hanoi", "москва": "Moscow", "köln": "Cologne", "firenze": "Florence",
    "venezia": "Venice", "sevilla": "Seville", "praga": "Prague", "varsovia": "Warsaw",
    "londres": "London", "nueva york": "New York", "tel-aviv": "Tel Aviv",
}  # fmt: skip


def _listed(table: str) -> dict[str, tuple[str, str]]:
    rows = [line.partition(": ") for line in table.strip().splitlines()]
    return {name.lower(): (name, region) for region, _, names in rows for name in names.split(", ")}


CITIES = _listed(_BY_COUNTRY) | _listed(_BY_STATE)
"""By its name in small letters: the city's name, and its state (two letters) or country."""
COUNTRIES = {line.partition(":")[0].lower() for line in _BY_COUNTRY.strip().splitlines()} | {
    "usa", "united states", "united kingdom", "england", "scotland",
}  # fmt: skip
